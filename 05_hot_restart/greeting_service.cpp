#include "greeting_service.h"

#include <unistd.h>

#include <istream>
#include <iterator>
#include <ostream>
#include <stdexcept>
#include <utility>

#include <Poco/Exception.h>
#include <Poco/NumberParser.h>
#include <Poco/Types.h>
#include <Poco/URI.h>

#include "lifecycle/function_handler.h"
#include "lifecycle/http_server.h"

namespace stage {
namespace {

using lifecycle::FunctionHandler;
using lifecycle::reply;
using Poco::Net::HTTPRequestHandler;
using Poco::Net::HTTPResponse;
using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

constexpr std::size_t maxBody = 64 * 1024 * 1024;
constexpr unsigned maxChunks = 1'000'000;
constexpr lifecycle::Duration maxPause = std::chrono::minutes(10);

HTTPRequestHandler* respondWith(FunctionHandler::Function function) {
    return new FunctionHandler(std::move(function));
}

HTTPRequestHandler* methodNotAllowed(const char* allowed) {
    return respondWith([allowed](HTTPServerRequest&, HTTPServerResponse& response) {
        response.set("Allow", allowed);
        reply(response, HTTPResponse::HTTP_METHOD_NOT_ALLOWED, std::string("use ") + allowed + "\n");
    });
}

void echo(HTTPServerRequest& request, HTTPServerResponse& response) {
    std::string body;
    for (std::istreambuf_iterator<char> byte(request.stream()), end; byte != end; ++byte) {
        if (body.size() == maxBody) {
            reply(response, HTTPResponse::HTTP_REQUEST_ENTITY_TOO_LARGE, "at most 64 MiB\n");
            return;
        }
        body.push_back(*byte);
    }
    if (request.hasContentLength() && request.getContentLength64() != static_cast<Poco::Int64>(body.size())) {
        throw std::runtime_error("the body is shorter than its Content-Length");
    }
    reply(response, HTTPResponse::HTTP_OK, body, "application/octet-stream");
}

struct StreamPlan {
    unsigned chunks = 10;
    lifecycle::Duration every = std::chrono::milliseconds(100);
};

/// Throws std::invalid_argument.
StreamPlan streamPlan(const std::string& target) {
    StreamPlan plan;
    for (const auto& [name, value] : Poco::URI(target).getQueryParameters()) {
        if (name == "chunks" &&
            (!Poco::NumberParser::tryParseUnsigned(value, plan.chunks) || plan.chunks > maxChunks)) {
            throw std::invalid_argument("chunks is a number up to " + std::to_string(maxChunks));
        }
        if (name == "every" && (plan.every = lifecycle::parseDuration(value)) > maxPause) {
            throw std::invalid_argument("every is at most " + lifecycle::formatDuration(maxPause));
        }
    }
    return plan;
}

void stream(HTTPServerRequest& request, HTTPServerResponse& response) {
    StreamPlan plan;
    try {
        plan = streamPlan(request.getURI());
    } catch (const std::invalid_argument& error) {
        reply(response, HTTPResponse::HTTP_BAD_REQUEST, error.what() + std::string("\n"));
        return;
    } catch (const Poco::SyntaxException&) {
        reply(response, HTTPResponse::HTTP_BAD_REQUEST, "not a query\n");
        return;
    }
    response.setContentType("text/plain");
    response.setChunkedTransferEncoding(request.getVersion() == HTTPServerRequest::HTTP_1_1);
    std::ostream& out = response.send();
    const lifecycle::Context requested = lifecycle::requestContext(request);
    for (unsigned chunk = 1; chunk <= plan.chunks && out; ++chunk) {
        if (chunk > 1 && requested.waitFor(plan.every)) {
            throw std::runtime_error("cut");  // so that a truncated stream does not look complete
        }
        out << "chunk " << chunk << '\n' << std::flush;
    }
}

}  // namespace

GreetingService::GreetingService(const std::string& message, unsigned generation, lifecycle::Duration work,
                                 lifecycle::Context notReady)
    : greeting_(message + " pid=" + std::to_string(::getpid()) + " generation=" + std::to_string(generation) + "\n"),
      work_(work),
      hello_(work, std::move(notReady)) {}

HTTPRequestHandler* GreetingService::createRequestHandler(const HTTPServerRequest& request) {
    std::string path;
    try {
        path = Poco::URI(request.getURI()).getPath();
    } catch (const Poco::SyntaxException&) {
        return hello_.createRequestHandler(request);  // which responds with 400
    }
    const bool get = request.getMethod() == HTTPServerRequest::HTTP_GET ||
                     request.getMethod() == HTTPServerRequest::HTTP_HEAD;
    if (path == "/") {
        return !get ? methodNotAllowed("GET, HEAD")
                    : respondWith([this](HTTPServerRequest& get, HTTPServerResponse& response) {
                          if (work_ == lifecycle::Duration::zero() ||
                              !lifecycle::requestContext(get).waitFor(work_)) {
                              reply(response, HTTPResponse::HTTP_OK, greeting_);
                          }
                      });
    }
    if (path == "/echo") {
        return request.getMethod() == HTTPServerRequest::HTTP_POST ? respondWith(echo) : methodNotAllowed("POST");
    }
    if (path == "/stream") {
        return get ? respondWith(stream) : methodNotAllowed("GET, HEAD");
    }
    return hello_.createRequestHandler(request);
}

}  // namespace stage
