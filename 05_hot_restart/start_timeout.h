#pragma once

#include "lifecycle/context.h"
#include "lifecycle/duration.h"
#include "lifecycle/event_log.h"

namespace stage {

/// Exits this process if it does not serve in time. Its starter kills it then, but may have died itself, and a hung
/// process must not keep the port.
class StartTimeout {
public:
    /// Logs `exit` and exits with code 69 after `limit`, from another thread, unless it is canceled before.
    StartTimeout(lifecycle::EventLog& events, lifecycle::Duration limit);

    /// Blocks until the process has exited if the time is over just now; afterwards it does not exit.
    void cancel() { callback_ = {}; }

private:
    lifecycle::Context limit_;
    lifecycle::DoneCallback callback_;
};

}  // namespace stage
