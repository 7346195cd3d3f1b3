#include "lifecycle/shutdown_outcome.h"

#include <unistd.h>

#include "lifecycle/exit_code.h"

namespace lifecycle {

int ShutdownOutcome::exitCode() const {
    return workCut ? exitWorkCut : hookFailed ? exitHookFailed : exitClean;
}

int exitWith(const ShutdownOutcome& outcome, EventLog& events) {
    const int code = outcome.exitCode();
    events.emit("exit", {{"code", code}});
    if (outcome.workCut || outcome.stillRunning) {
        ::_exit(code);
    }
    return code;
}

}  // namespace lifecycle
