// Stage 06: a service in a container. It responds first and works in the background, so a shutdown has
// something to wait for that no client and no server knows of: jobs, each of which owes an increment to
// a counter in Redis.

#include <unistd.h>

#include <memory>
#include <stdexcept>

#include "healthcheck.h"
#include "hello_service.h"
#include "increment_service.h"
#include "increments.h"
#include "last_words.h"
#include "lifecycle/http_server.h"
#include "lifecycle/lame_duck.h"
#include "lifecycle/run_service.h"
#include "lifecycle/shutdown_outcome.h"
#include "memory_counter.h"
#include "plan.h"
#include "redis_counter.h"
#include "settings.h"

using namespace std::chrono_literals;
using namespace stage;
using lifecycle::Context;

namespace {

constexpr lifecycle::Duration startTimeout = 5s;  // for Redis to be there

/// Null if it was asked to shut down while waiting for Redis.
std::unique_ptr<Counter> makeCounter(const Settings& settings, const Context& stop,
                                     lifecycle::EventLog& events) {
    if (settings.redis.empty()) {
        return std::make_unique<MemoryCounter>();
    }
    auto counter = std::make_unique<RedisCounter>(settings.redis, events);
    if (!counter->waitUntilReachable(withTimeout(stop, startTimeout).context)) {
        if (!stop.done()) {
            throw std::runtime_error("cannot reach Redis at " + settings.redis + ": " +
                                     counter->error());
        }
        return nullptr;
    }
    return counter;
}

const char* doubtAbout(const Increments::Tally& tally) {
    if (tally.unapplied == 0) {
        return "nothing is lost";
    }
    return tally.unconfirmed > 0 ? "at most: some were sent, and Redis has not answered" : "lost";
}

int serve(const Settings& settings, lifecycle::ShutdownSignals& signals,
          lifecycle::EventLog& events) {
    const auto counter = makeCounter(settings, signals.context(), events);
    if (!counter) {
        return exitWith({}, events);
    }
    Increments increments(*counter, settings.work, settings.jobs, events);
    const LastWords lastWords(signals, [&] {
        const Increments::Tally tally = increments.tally();
        events.emitWithin(20ms, "jobs.lost",
                          {{"unapplied", tally.unapplied}, {"note", doubtAbout(tally)}});
    });

    const Answer answer = settings.mode == "respond-first" ? Answer::first : Answer::last;
    Poco::Net::HTTPRequestHandlerFactory::Ptr hello(new HelloService(settings.work, signals.context()));
    lifecycle::HttpServer server(new IncrementService(increments, *counter, answer, hello),
                                 {.address = {settings.address, settings.port},
                                  .keepAliveGrace = settings.keepAliveGrace,
                                  .keepAliveTimeout = settings.keepAliveTimeout,
                                  .events = &events});
    server.start();
    logPlan(settings, events);
    events.emit("ready", {{"port", server.address().port()}, {"pid", ::getpid()}});

    signals.context().wait();

    const lifecycle::TimePoint begin = lifecycle::Clock::now();
    events.emit("shutdown.begin",
                {{"cause", signals.context().cause()}, {"deadline", settings.timeout}});

    // 1. Announce it, and keep serving while load balancers notice.
    server.announceShutdown();
    events.emit("readiness.off");
    lifecycle::serveLameDuck(settings.lameDuck, Context::background(), events);

    // 2. Drain the server: after that nobody can add a job. One deadline for this step and the next.
    const auto [deadline, cancel] = withTimeout(Context::background(), settings.timeout);
    const lifecycle::ShutdownResult requests = server.shutdown(deadline);

    // 3. Wait for the jobs. Their clients have had their 200 for a while.
    const bool done = !settings.naive && increments.wait(deadline);
    const Increments::Tally tally = done ? increments.tally() : increments.abandon();
    if (!done && !settings.naive) {
        events.emit("deadline.hit",
                    {{"cut", tally.unapplied}, {"what", "increments in the background"}});
    }

    // 4. Close the connection to Redis last: the jobs need it.
    if (settings.redis.empty()) {
        events.emit("counter.total",
                    {{"value", counter->value()}, {"note", "in memory: gone with this process"}});
    } else if (done && requests.clean()) {
        counter->close();
    }
    const bool clean = requests.clean() && tally.unapplied == 0;
    events.emit("shutdown.end", {{"served", requests.served},
                                 {"refused", requests.refused},
                                 {"cut", requests.cut},
                                 {"applied", tally.applied},
                                 {"unapplied", tally.unapplied},
                                 {"took", lifecycle::Clock::now() - begin},
                                 {"note", doubtAbout(tally)}});

    // 5. The naive one believes that all is well.
    return exitWith({.workCut = !clean && !settings.naive, .stillRunning = !done}, events);
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    if (const auto exitCode = settings.parse(argc, argv)) {
        return *exitCode;
    }
    if (settings.healthcheck) {
        return checkHealth(settings.address, settings.port);
    }
    return lifecycle::runService(
        "06_docker",
        [&settings](lifecycle::ShutdownSignals& signals, lifecycle::EventLog& events) {
            return serve(settings, signals, events);
        },
        {.secondTermForces = settings.secondTerm == "force"});
}
