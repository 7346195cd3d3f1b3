#include "ticks.h"

#include <chrono>
#include <ostream>
#include <utility>

#include <Poco/Net/HTTPServerResponse.h>

#include "lifecycle/function_handler.h"
#include "lifecycle/http_server.h"

namespace {

using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

constexpr lifecycle::Duration interval = std::chrono::milliseconds(100);

void stream(const lifecycle::Context& end, HTTPServerRequest& request, HTTPServerResponse& response) {
    response.setContentType("text/event-stream");
    response.set("Cache-Control", "no-store");
    response.setChunkedTransferEncoding(request.getVersion() == HTTPServerRequest::HTTP_1_1);
    std::ostream& events = response.send();
    if (request.getMethod() == HTTPServerRequest::HTTP_HEAD) {
        return;
    }
    for (int tick = 1; events; ++tick) {
        events << "data: tick " << tick << "\n\n" << std::flush;
        if (end.waitFor(interval)) {
            events << "retry: 100\ndata: goodbye\n\n" << std::flush;
            return;  // The server sends the last chunk: to the browser this stream is complete.
        }
    }
}

}  // namespace

TicksService::TicksService(Ptr otherwise, bool deaf) : otherwise_(std::move(otherwise)), deaf_(deaf) {}

Poco::Net::HTTPRequestHandler* TicksService::createRequestHandler(const HTTPServerRequest& request) {
    const std::string& method = request.getMethod();
    if (request.getURI() != "/ticks" || (method != HTTPServerRequest::HTTP_GET && method != HTTPServerRequest::HTTP_HEAD)) {
        return otherwise_->createRequestHandler(request);
    }
    return new lifecycle::FunctionHandler([this](HTTPServerRequest& handled, HTTPServerResponse& response) {
        stream(deaf_ ? lifecycle::requestContext(handled) : lifecycle::shutdownContext(handled), handled, response);
    });
}
