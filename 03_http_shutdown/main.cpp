// Stage 03: an HTTP server that finishes what it has accepted.
//
// The way of a shutdown, from top to bottom: the signal, readiness off, the lame duck in which load
// balancers find out and send their clients elsewhere, the drain under a deadline, the exit code.

#include <unistd.h>

#include <atomic>

#include <Poco/Exception.h>

#include "hello_service.h"
#include "lame_duck.h"
#include "lifecycle/context.h"
#include "lifecycle/error_line.h"
#include "lifecycle/event_log.h"
#include "lifecycle/exit_code.h"
#include "lifecycle/http_server.h"
#include "lifecycle/options.h"
#include "lifecycle/shutdown_signals.h"
#include "plain_server.h"

using namespace std::chrono_literals;
using lifecycle::Context;
using lifecycle::Duration;

namespace {

struct Settings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    Duration work = 5s;
    Duration timeout = 10s;
    Duration lameDuck = 0s;
    Duration keepAliveGrace = 100ms;
    Duration keepAliveTimeout = 75s;
    unsigned threads = 256;
    unsigned queue = 1024;
    std::string strategy = "graceful";
    std::string secondTerm = "force";
};

int serveGracefully(const Settings& settings, Poco::Net::HTTPRequestHandlerFactory::Ptr service,
                    std::atomic<bool>& ready, const Context& stop, lifecycle::EventLog& events) {
    lifecycle::HttpServer server(service, {.address = {settings.address, settings.port},
                                           .threads = settings.threads,
                                           .queue = settings.queue,
                                           .keepAliveGrace = settings.keepAliveGrace,
                                           .keepAliveTimeout = settings.keepAliveTimeout,
                                           .events = &events});
    server.start();
    events.emit("ready", {{"port", server.address().port()}, {"pid", ::getpid()}});

    stop.wait();

    const lifecycle::TimePoint begin = lifecycle::Clock::now();
    events.emit("shutdown.begin", {{"cause", stop.cause()}, {"deadline", settings.timeout}});

    // 1. Tell everybody: /readyz is 503, and every answer says `Connection: close`.
    ready = false;
    server.announceShutdown();
    events.emit("readiness.off");

    // 2. Lame duck: still serving, while load balancers notice.
    stage::serveLameDuck(settings.lameDuck, Context::background(), events);

    // 3. Close the listener, finish what is there, cut what is left at the deadline.
    const auto [deadline, cancel] = withTimeout(Context::background(), settings.timeout);
    const lifecycle::ShutdownResult result = server.shutdown(deadline);

    const int code = result.clean() ? lifecycle::exitClean : lifecycle::exitWorkCut;
    events.emit("shutdown.end", {{"served", result.served},
                                 {"refused", result.refused},
                                 {"cut", result.cut},
                                 {"took", lifecycle::Clock::now() - begin}});
    events.emit("exit", {{"code", code}});
    if (!deadline.done()) {
        return code;
    }
    ::_exit(code);  // A handler that was cut may still be running: no destructors under its feet.
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    lifecycle::Options options("03_http_shutdown", "serves HTTP and finishes what it accepted");
    options.text("address", settings.address, "address to listen on");
    options.port("port", settings.port, "port to listen on, 0 for a free one");
    options.duration("work", settings.work, "how long GET /hello works");
    options.duration("timeout", settings.timeout, "time for requests in flight before they are cut");
    options.duration("lame-duck", settings.lameDuck, "time to serve on after the signal");
    options.duration("keepalive-grace", settings.keepAliveGrace, "time for idle connections to send one more request");
    options.duration("keep-alive-timeout", settings.keepAliveTimeout,
                     "time between two requests of a connection, 0s to close after each response");
    options.number("threads", settings.threads, 1, 10'000, "requests worked on at once");
    options.number("queue", settings.queue, 1, 1'000'000, "requests waiting for a thread before 503");
    options.choice("strategy", settings.strategy, {"graceful", "stopall", "stop"}, "how to end");
    options.choice("second-term", settings.secondTerm, {"force", "ignore"}, "what a second TERM or HUP does; INT and QUIT always force");
    if (const auto exitCode = options.parse(argc, argv)) {
        return *exitCode;
    }

    try {
        lifecycle::EventLog events;
        const lifecycle::ShutdownSignals signals(events, {.secondTermForces = settings.secondTerm == "force"});
        std::atomic<bool> ready = true;
        Poco::Net::HTTPRequestHandlerFactory::Ptr service(new stage::HelloService(settings.work, ready));
        if (settings.strategy == "graceful") {
            return serveGracefully(settings, service, ready, signals.context(), events);
        }
        return servePlainly(service,
                            {.address = {settings.address, settings.port},
                             .threads = settings.threads,
                             .queue = settings.queue,
                             .stopAll = settings.strategy == "stopall"},
                            signals.context(), events);
    } catch (const Poco::Exception& error) {
        lifecycle::printError("03_http_shutdown", error.displayText());
        return lifecycle::exitUnavailable;
    } catch (const std::exception& error) {
        lifecycle::printError("03_http_shutdown", error.what());
        return lifecycle::exitUnavailable;
    }
}
