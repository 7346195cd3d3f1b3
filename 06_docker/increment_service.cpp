#include "increment_service.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "lifecycle/function_handler.h"
#include "lifecycle/http_server.h"

namespace stage {
namespace {

using lifecycle::FunctionHandler;
using lifecycle::reply;
using Poco::Net::HTTPResponse;
using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

void notNow(HTTPServerResponse& response, const std::string& reason) {
    response.set("Retry-After", "1");
    reply(response, HTTPResponse::HTTP_SERVICE_UNAVAILABLE, reason + "\n");
}

void increment(Increments& increments, Answer answer, HTTPServerRequest& request,
               HTTPServerResponse& response) {
    if (answer == Answer::last) {
        if (increments.doNow(lifecycle::requestContext(request))) {
            reply(response, HTTPResponse::HTTP_OK, "counted\n");
        }
        return;  // Otherwise the request is cut: nobody is there to be answered.
    }
    if (!increments.begin()) {
        notNow(response, "too much work");
        return;
    }
    reply(response, HTTPResponse::HTTP_OK, "accepted\n");
}

void tellCounter(Counter& counter, HTTPServerResponse& response) {
    try {
        reply(response, HTTPResponse::HTTP_OK, std::to_string(counter.value()) + "\n");
    } catch (const std::runtime_error& error) {
        notNow(response, error.what());
    }
}

}  // namespace

IncrementService::IncrementService(Increments& increments, Counter& counter, Answer answer,
                                   Ptr otherwise)
    : increments_(increments),
      counter_(counter),
      answer_(answer),
      otherwise_(std::move(otherwise)) {}

Poco::Net::HTTPRequestHandler* IncrementService::createRequestHandler(
    const HTTPServerRequest& request) {
    const std::string path = request.getURI().substr(0, request.getURI().find_first_of("?#"));
    if (path != "/incr" && path != "/counter") {
        return otherwise_->createRequestHandler(request);
    }
    if (request.getMethod() != HTTPServerRequest::HTTP_GET) {
        return new FunctionHandler([](HTTPServerRequest&, HTTPServerResponse& response) {
            response.set("Allow", "GET");
            reply(response, HTTPResponse::HTTP_METHOD_NOT_ALLOWED, "use GET\n");
        });
    }
    if (path == "/incr") {
        return new FunctionHandler(
            [this](HTTPServerRequest& handled, HTTPServerResponse& response) {
                increment(increments_, answer_, handled, response);
            });
    }
    return new FunctionHandler([this](HTTPServerRequest&, HTTPServerResponse& response) {
        tellCounter(counter_, response);
    });
}

}  // namespace stage
