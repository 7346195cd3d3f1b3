// Stage 02: ending must not take for ever.
//
// The signal starts the work that belongs to stopping: flush, save, say goodbye. That work gets a
// context with a timeout. Whichever comes first, the end of the work or the deadline, ends the
// context, and the process with it.

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <future>
#include <string>
#include <thread>

#include "lifecycle/context.h"
#include "lifecycle/event_log.h"
#include "lifecycle/exit_code.h"
#include "lifecycle/options.h"
#include "lifecycle/shutdown_signals.h"

using namespace std::chrono_literals;
using lifecycle::Context;
using lifecycle::Duration;

int main(int argc, char** argv) try {
    Duration timeout = 10s;
    Duration work = 5s;
    Duration runFor = 0s;
    std::string secondTerm = "force";

    lifecycle::Options options("02_timeout", "does its stop work under a deadline");
    options.duration("timeout", timeout, "the most time the stop work may take");
    options.duration("work", work, "the time the stop work does take");
    options.duration("run-for", runFor, "end without a signal after this time, 0s for never");
    options.choice("second-term", secondTerm, {"force", "ignore"}, "what a second TERM or HUP does; INT and QUIT always force");
    if (const auto exitCode = options.parse(argc, argv)) {
        return *exitCode;
    }

    lifecycle::EventLog events;
    const lifecycle::ShutdownSignals signals(events, {.secondTermForces = secondTerm == "force"});

    // The thread for the stop work is started now: later the system may have none left.
    std::promise<lifecycle::CancelableContext> stop;
    std::thread([work, begun = stop.get_future()]() mutable {
        const auto [stopping, finished] = begun.get();
        std::this_thread::sleep_for(work);  // This work does not look at its context ...
        finished("the stop work is done");
    }).detach();
    events.emit("ready", {{"pid", ::getpid()}, {"timeout", timeout}, {"work", work}});

    // Wait for the signal, or for the end of --run-for: a child context ends with its parent.
    const Context running =
        runFor > 0s ? withTimeout(signals.context(), runFor,
                                  "--run-for " + lifecycle::formatDuration(runFor) + " is over").context
                    : signals.context();
    running.wait();

    const lifecycle::TimePoint begin = lifecycle::Clock::now();
    events.emit("shutdown.begin", {{"cause", running.cause()}, {"deadline", timeout}});

    // `running` is done, so a child of it would be done at once. Stopping starts from the root again.
    const auto [stopping, finished] = withTimeout(Context::background(), timeout);
    stop.set_value({stopping, finished});

    stopping.wait();  // ... and still cannot hold the process longer than the deadline.

    const Duration took = lifecycle::Clock::now() - begin;
    const bool inTime = stopping.err() == lifecycle::ContextError::canceled;  // by the work, with `finished`
    if (!inTime) {
        events.emit("deadline.hit", {{"cut", 1}, {"note", "the stop work was not done in time"}});
    }
    const int code = inTime ? lifecycle::exitClean : lifecycle::exitWorkCut;
    events.emit("shutdown.end", {{"cause", stopping.cause()}, {"took", took}});
    events.emit("exit", {{"code", code}});
    ::_exit(code);  // The work's thread may still be running: no destructors under its feet.
} catch (const std::exception& error) {
    std::fprintf(stderr, "02_timeout: %s\n", error.what());
    return lifecycle::exitUnavailable;
}
