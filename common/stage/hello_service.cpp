#include "hello_service.h"

#include <stdexcept>
#include <string>
#include <utility>

#include <Poco/Exception.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/URI.h>

#include "lifecycle/function_handler.h"
#include "lifecycle/http_server.h"
#include "lifecycle/readiness_handler.h"

namespace stage {
namespace {

using lifecycle::Duration;
using lifecycle::FunctionHandler;
using lifecycle::reply;
using Poco::Net::HTTPResponse;
using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

constexpr Duration longestWork = std::chrono::minutes(10);

/// The `work` of "/hello?work=300ms", or `otherwise`. Throws std::invalid_argument.
Duration requestedWork(const Poco::URI& uri, Duration otherwise) {
    for (const auto& [name, value] : uri.getQueryParameters()) {
        if (name == "work") {
            const Duration work = lifecycle::parseDuration(value);
            if (work > longestWork) {
                throw std::invalid_argument("work is at most " + lifecycle::formatDuration(longestWork));
            }
            return work;
        }
    }
    return otherwise;
}

void hello(const Poco::URI& uri, Duration work, HTTPServerRequest& request, HTTPServerResponse& response) {
    try {
        work = requestedWork(uri, work);
    } catch (const std::invalid_argument& error) {
        reply(response, HTTPResponse::HTTP_BAD_REQUEST, error.what() + std::string("\n"));
        return;
    } catch (const Poco::SyntaxException&) {
        reply(response, HTTPResponse::HTTP_BAD_REQUEST, "not a query\n");
        return;
    }
    if (work > Duration::zero() && lifecycle::requestContext(request).waitFor(work)) {
        return;  // The request is cut: nobody is there to be answered.
    }
    reply(response, HTTPResponse::HTTP_OK, "hello\n");
}

void methodNotAllowed(HTTPServerResponse& response) {
    response.set("Allow", "GET, HEAD");
    reply(response, HTTPResponse::HTTP_METHOD_NOT_ALLOWED, "use GET\n");
}

}  // namespace

HelloService::HelloService(Duration work, lifecycle::Context stopping) : work_(work), stopping_(std::move(stopping)) {}

Poco::Net::HTTPRequestHandler* HelloService::createRequestHandler(const HTTPServerRequest& request) {
    Poco::URI uri;
    try {
        uri = request.getURI();
    } catch (const Poco::SyntaxException&) {
        return new FunctionHandler([](HTTPServerRequest&, HTTPServerResponse& response) {
            reply(response, HTTPResponse::HTTP_BAD_REQUEST, "not a URI\n");
        });
    }
    const std::string& path = uri.getPath();
    if (path != "/hello" && path != "/healthz" && path != "/readyz") {
        return new FunctionHandler([](HTTPServerRequest&, HTTPServerResponse& response) {
            reply(response, HTTPResponse::HTTP_NOT_FOUND, "not found; try /hello, /healthz, /readyz\n");
        });
    }
    if (request.getMethod() != HTTPServerRequest::HTTP_GET && request.getMethod() != HTTPServerRequest::HTTP_HEAD) {
        return new FunctionHandler(
            [](HTTPServerRequest&, HTTPServerResponse& response) { methodNotAllowed(response); });
    }
    if (path == "/healthz") {
        return new FunctionHandler([](HTTPServerRequest&, HTTPServerResponse& response) {
            reply(response, HTTPResponse::HTTP_OK, "ok\n");
        });
    }
    if (path == "/readyz") {
        return new lifecycle::ReadinessHandler(stopping_);
    }
    return new FunctionHandler([this, uri](HTTPServerRequest& handled, HTTPServerResponse& response) {
        hello(uri, work_, handled, response);
    });
}

}  // namespace stage
