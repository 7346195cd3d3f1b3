#include "admin/admin_service.h"

#include <map>
#include <string>
#include <utility>

#include "admin/admin_page.h"
#include "admin/event_stream.h"
#include "lifecycle/function_handler.h"
#include "lifecycle/readiness_handler.h"
#include "admin/status_text.h"

namespace stage {
namespace {

using lifecycle::FunctionHandler;
using lifecycle::reply;
using Poco::Net::HTTPResponse;
using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

constexpr int mostStreams = 64;

void notFound(HTTPServerRequest&, HTTPServerResponse& response) {
    reply(response, HTTPResponse::HTTP_NOT_FOUND,
          "not found; try / /readyz /healthz /drainz /events /metrics\n");
}

void methodNotAllowed(HTTPServerRequest&, HTTPServerResponse& response) {
    response.set("Allow", "GET, HEAD");
    reply(response, HTTPResponse::HTTP_METHOD_NOT_ALLOWED, "use GET\n");
}

}  // namespace

AdminService::AdminService(const LifecycleStatus& status, lifecycle::Context stopping)
    : status_(status), stopping_(std::move(stopping)) {}

Poco::Net::HTTPRequestHandler* AdminService::createRequestHandler(const HTTPServerRequest& request) {
    using Handle = void (AdminService::*)(HTTPServerRequest&, HTTPServerResponse&);
    static const std::map<std::string, Handle> routes{
        {"/", &AdminService::page},           {"/readyz", &AdminService::readiness},
        {"/healthz", &AdminService::health},  {"/drainz", &AdminService::drain},
        {"/events", &AdminService::events},   {"/metrics", &AdminService::metrics},
    };
    const std::string& uri = request.getURI();
    const auto route = routes.find(uri.substr(0, uri.find_first_of("?#")));
    if (route == routes.end()) {
        return new FunctionHandler(notFound);
    }
    if (request.getMethod() != HTTPServerRequest::HTTP_GET &&
        request.getMethod() != HTTPServerRequest::HTTP_HEAD) {
        return new FunctionHandler(methodNotAllowed);
    }
    const auto handle = route->second;
    return new FunctionHandler([this, handle](HTTPServerRequest& handled, HTTPServerResponse& response) {
        response.set("Cache-Control", "no-store");
        (this->*handle)(handled, response);
    });
}

void AdminService::page(HTTPServerRequest&, HTTPServerResponse& response) {
    // The page says itself that it needs nothing from outside; this makes the browser see to it.
    response.set("Content-Security-Policy",
                 "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
                 "img-src data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'");
    reply(response, HTTPResponse::HTTP_OK, adminPage, "text/html; charset=utf-8");
}

void AdminService::readiness(HTTPServerRequest& request, HTTPServerResponse& response) {
    lifecycle::ReadinessHandler(stopping_).handleRequest(request, response);
}

void AdminService::health(HTTPServerRequest&, HTTPServerResponse& response) {
    reply(response, HTTPResponse::HTTP_OK, "ok\n");
}

void AdminService::drain(HTTPServerRequest&, HTTPServerResponse& response) {
    reply(response, HTTPResponse::HTTP_OK, toJson(status_.snapshot()) + "\n", "application/json");
}

void AdminService::events(HTTPServerRequest& request, HTTPServerResponse& response) {
    /// Gives the place back, also when the stream ends by an exception.
    struct Place {
        std::atomic<int>& taken;
        const int number = taken.fetch_add(1) + 1;
        ~Place() { taken.fetch_sub(1); }
    } place{streams_};
    if (place.number > mostStreams) {
        response.set("Retry-After", "1");
        reply(response, HTTPResponse::HTTP_SERVICE_UNAVAILABLE, "too many streams\n");
        return;
    }
    streamStatus(status_, request, response);
}

void AdminService::metrics(HTTPServerRequest&, HTTPServerResponse& response) {
    reply(response, HTTPResponse::HTTP_OK, toMetrics(status_.snapshot()), "text/plain; version=0.0.4");
}

}  // namespace stage
