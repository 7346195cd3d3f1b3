#include "lifecycle/readiness_handler.h"

#include <utility>

#include "lifecycle/function_handler.h"

namespace lifecycle {

using Poco::Net::HTTPResponse;

ReadinessHandler::ReadinessHandler(Context stopping) : stopping_(std::move(stopping)) {}

void ReadinessHandler::handleRequest(Poco::Net::HTTPServerRequest&, Poco::Net::HTTPServerResponse& response) {
    response.set("Cache-Control", "no-store");
    if (stopping_.done()) {
        response.setKeepAlive(false);  // even before the server's own announcement, an instant later
        reply(response, HTTPResponse::HTTP_SERVICE_UNAVAILABLE, "shutting down\n");
    } else {
        reply(response, HTTPResponse::HTTP_OK, "ready\n");
    }
}

}  // namespace lifecycle
