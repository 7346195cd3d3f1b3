// Stage 02: a shutdown must not take forever.
//
// The signal starts the work that belongs to a shutdown: flush, save, close connections. That work gets a
// context with a timeout, and a wait group reports whether it was done before the deadline.

#include <unistd.h>

#include <future>
#include <string>
#include <thread>

#include "lifecycle/context.h"
#include "lifecycle/event_log.h"
#include "lifecycle/options.h"
#include "lifecycle/run_service.h"
#include "lifecycle/shutdown_outcome.h"
#include "lifecycle/wait_group.h"

using namespace std::chrono_literals;
using lifecycle::Context;
using lifecycle::Duration;

namespace {

struct Settings {
    Duration timeout = 10s;
    Duration work = 5s;
    Duration runFor = 0s;
    std::string secondTerm = "force";
};

int serve(const Settings& settings, const Context& signaled, lifecycle::EventLog& events) {
    // The thread for the stop work is started now: later the system may have none left.
    std::promise<Context> stop;
    lifecycle::WaitGroup stopWork;
    stopWork.go([work = settings.work, stopping = stop.get_future().share()] {
        stopping.wait();
        std::this_thread::sleep_for(work);  // This work does not look at its context ...
    });
    events.emit("ready", {{"pid", ::getpid()}, {"timeout", settings.timeout}, {"work", settings.work}});

    // Wait for the signal, or for the end of --run-for: a child context is done when its parent is.
    const Context running =
        settings.runFor > 0s ? withTimeout(signaled, settings.runFor,
                                           "--run-for " + lifecycle::formatDuration(settings.runFor) + " is over").context
                             : signaled;
    running.wait();

    const lifecycle::TimePoint begin = lifecycle::Clock::now();
    events.emit("shutdown.begin", {{"cause", running.cause()}, {"deadline", settings.timeout}});

    // `running` is done, so a child of it would be done at once. The stop work gets a new context.
    const auto [stopping, cancel] = withTimeout(Context::background(), settings.timeout);
    stop.set_value(stopping);

    const bool done = stopWork.wait(stopping);  // ... and still cannot hold the process longer than the deadline.

    if (!done) {
        events.emit("deadline.hit", {{"cut", 1}, {"note", "the stop work was not done in time"}});
    }
    events.emit("shutdown.end", {{"cause", done ? "the stop work is done" : stopping.cause()},
                                 {"took", lifecycle::Clock::now() - begin}});
    return exitWith({.workCut = !done}, events);
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    lifecycle::Options options("02_timeout", "does its stop work under a deadline");
    options.duration("timeout", settings.timeout, "the most time the stop work may take");
    options.duration("work", settings.work, "the time the stop work does take");
    options.duration("run-for", settings.runFor, "shut down without a signal after this time, 0s for never");
    options.choice("second-term", settings.secondTerm, {"force", "ignore"},
                   "what a second TERM or HUP does; INT and QUIT always force");
    if (const auto exitCode = options.parse(argc, argv)) {
        return *exitCode;
    }
    return lifecycle::runService(
        "02_timeout",
        [&settings](lifecycle::ShutdownSignals& signals, lifecycle::EventLog& events) {
            return serve(settings, signals.context(), events);
        },
        {.secondTermForces = settings.secondTerm == "force"});
}
