// Stage 03: an HTTP server that finishes what it has accepted.
//
// A shutdown from top to bottom: the signal; readiness off; the lame duck, in which load balancers
// notice and send clients elsewhere; the drain under a deadline; the exit code.

#include <unistd.h>

#include <cstdint>
#include <string>

#include "hello_service.h"
#include "lifecycle/context.h"
#include "lifecycle/event_log.h"
#include "lifecycle/http_server.h"
#include "lifecycle/lame_duck.h"
#include "lifecycle/options.h"
#include "lifecycle/run_service.h"
#include "lifecycle/shutdown_outcome.h"
#include "plain_server.h"
#include "ticks.h"

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
    bool deaf = false;
};

int serveGracefully(const Settings& settings, const Context& stop, lifecycle::EventLog& events) {
    Poco::Net::HTTPRequestHandlerFactory::Ptr hello(new stage::HelloService(settings.work, stop));  // has /readyz
    lifecycle::HttpServer server(new TicksService(hello, settings.deaf),
                                 {.address = {settings.address, settings.port},
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

    // 1. Announce it: /readyz responds 503, every response says `Connection: close`, and endless streams end.
    server.announceShutdown();
    events.emit("readiness.off");

    // 2. Lame duck: still serving, while load balancers notice.
    lifecycle::serveLameDuck(settings.lameDuck, Context::background(), events);

    // 3. Close the listener, finish what was accepted, cut what is left at the deadline.
    const auto [deadline, cancel] = withTimeout(Context::background(), settings.timeout);
    const lifecycle::ShutdownResult result = server.shutdown(deadline);
    events.emit("shutdown.end", {{"served", result.served},
                                 {"refused", result.refused},
                                 {"cut", result.cut},
                                 {"took", lifecycle::Clock::now() - begin}});

    // 4. Report it to the parent process.
    return exitWith({.workCut = !result.clean()}, events);
}

int serveCarelessly(const Settings& settings, const Context& stop, lifecycle::EventLog& events) {
    return servePlainly(new stage::HelloService(settings.work, Context::background()),
                        {.address = {settings.address, settings.port},
                         .threads = settings.threads,
                         .queue = settings.queue,
                         .stopAll = settings.strategy == "stopall"},
                        stop, events);
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
    options.choice("strategy", settings.strategy, {"graceful", "stopall", "stop"}, "how to shut down");
    options.choice("second-term", settings.secondTerm, {"force", "ignore"}, "what a second TERM or HUP does; INT and QUIT always force");
    options.flag("deaf", settings.deaf, "GET /ticks does not notice the shutdown, and is cut at the deadline");
    if (const auto exitCode = options.parse(argc, argv)) {
        return *exitCode;
    }

    return lifecycle::runService(
        "03_http_shutdown",
        [&settings](lifecycle::ShutdownSignals& signals, lifecycle::EventLog& events) {
            const auto serve = settings.strategy == "graceful" ? serveGracefully : serveCarelessly;
            return serve(settings, signals.context(), events);
        },
        {.secondTermForces = settings.secondTerm == "force"});
}
