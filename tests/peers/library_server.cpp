// The same service on the library of this project, with all that it can do: GET /hello?work=300ms,
// GET /stream?work=1s, POST /upload, /readyz. The proxies have it behind them, too.
//
// library_server --port N [--timeout 2s]

#include <unistd.h>

#include <cstdint>
#include <istream>
#include <limits>
#include <ostream>

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/URI.h>

#include "hello_service.h"
#include "lifecycle/function_handler.h"
#include "lifecycle/http_server.h"
#include "lifecycle/options.h"
#include "lifecycle/run_service.h"
#include "lifecycle/shutdown_outcome.h"

using namespace std::chrono_literals;
using namespace lifecycle;
using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

namespace {

void stream(Duration work, HTTPServerRequest& request, HTTPServerResponse& response) {
    response.setChunkedTransferEncoding(true);
    std::ostream& out = response.send();
    for (int i = 0; i < 20 && !requestContext(request).waitFor(work / 20); ++i) {
        out << "hello\n" << std::flush;
    }
}

void upload(HTTPServerRequest& request, HTTPServerResponse& response) {
    request.stream().ignore(std::numeric_limits<std::streamsize>::max());
    response.setStatus(endedEarly(request) ? HTTPServerResponse::HTTP_BAD_REQUEST : HTTPServerResponse::HTTP_OK);
    response.setContentLength(0);
    response.send();
}

class Service : public stage::HelloService {
public:
    using HelloService::HelloService;

    Poco::Net::HTTPRequestHandler* createRequestHandler(const HTTPServerRequest& request) override {
        const Poco::URI uri(request.getURI());
        if (uri.getPath() == "/upload") {
            return new FunctionHandler(upload);
        }
        if (uri.getPath() == "/stream") {
            const auto query = uri.getQueryParameters();
            const Duration work = parseDuration(query.empty() ? "1s" : query.front().second);
            return new FunctionHandler([work](HTTPServerRequest& handled, HTTPServerResponse& response) {
                stream(work, handled, response);
            });
        }
        return HelloService::createRequestHandler(request);
    }
};

}  // namespace

int main(int argc, char** argv) {
    std::uint16_t port = 8080;
    Duration timeout = 10s;
    Options options("library_server", "what the library can do");
    options.port("port", port, "port to listen on, 0 for a free one");
    options.duration("timeout", timeout, "time for requests in flight before they are cut");
    if (const auto exitCode = options.parse(argc, argv)) {
        return *exitCode;
    }
    return runService("library_server", [port, timeout](ShutdownSignals& signals, EventLog& events) {
        HttpServer server(new Service(0s, signals.context()), {.address = {"127.0.0.1", port}, .events = &events});
        server.start();
        events.emit("ready", {{"port", server.address().port()}, {"pid", ::getpid()}});
        signals.context().wait();
        const auto result = server.shutdown(withTimeout(Context::background(), timeout).context);
        return exitWith({.workCut = !result.clean()}, events);
    });
}
