#pragma once

#include "lifecycle/event_log.h"

namespace lifecycle {

/// How a shutdown went. A parent process learns it from the exit code.
struct ShutdownOutcome {
    /// Work that clients rely on was cut or lost. What was cut may still be running.
    bool workCut = false;
    /// A step of the shutdown failed or timed out.
    bool hookFailed = false;
    /// A thread that was not waited for may still be running, for instance that of an abandoned hook.
    bool stillRunning = false;

    /// exitWorkCut, else exitHookFailed, else exitClean.
    int exitCode() const;
};

/// The last statement of a service, before its objects are destroyed. Logs `exit code=…` and returns the code, for
/// main() to return. If work was cut or something may still be running, it does not return but exits the process here, by
/// _exit(2): returning would run destructors, and destroy objects that the threads left behind still use.
///
///     return exitWith({.workCut = !result.clean(), .stillRunning = report.anyAbandoned()}, events);
[[nodiscard]] int exitWith(const ShutdownOutcome& outcome, EventLog& events);

}  // namespace lifecycle
