// An HTTP server that, when it is asked to shut down, finishes what it has accepted, and cuts what takes longer than
// ten seconds.

#include <chrono>
#include <exception>
#include <iostream>

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/SocketAddress.h>
#include <unistd.h>

#include <lifecycle/context.h>
#include <lifecycle/event_log.h>
#include <lifecycle/exit_code.h>
#include <lifecycle/http_server.h>
#include <lifecycle/shutdown_signals.h>

using namespace std::chrono_literals;

class Hello : public Poco::Net::HTTPRequestHandler {
    void handleRequest(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response) override {
        lifecycle::requestContext(request).waitFor(1s);  // work, and stop working if the request is cut
        response.sendBuffer("hello\n", 6);
    }
};

class Service : public Poco::Net::HTTPRequestHandlerFactory {
    Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest&) override {
        return new Hello;
    }
};

int serve(Poco::Net::SocketAddress address) {
    lifecycle::EventLog events;  // writes to stderr
    const lifecycle::ShutdownSignals signals(events);  // before any thread
    lifecycle::HttpServer server(new Service, {.address = address, .events = &events});
    server.start();
    events.emit("ready", {{"port", server.address().port()}});

    signals.context().wait();
    const auto [deadline, cancel] = withTimeout(lifecycle::Context::background(), 10s);
    if (server.shutdown(deadline).clean()) {
        return lifecycle::exitClean;
    }
    ::_exit(lifecycle::exitWorkCut);  // skips destructors: a handler that was cut may still run
}

int main(int argc, char** argv) try {
    return serve({"127.0.0.1", argc > 1 ? argv[1] : "8080"});
} catch (const Poco::Exception& error) {
    std::cerr << argv[0] << ": " << error.displayText() << '\n';
    return lifecycle::exitUnavailable;
} catch (const std::exception& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return lifecycle::exitUnavailable;
}
