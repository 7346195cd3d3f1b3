#pragma once

#include <functional>
#include <string>

#include "lifecycle/poll_loop.h"
#include "lifecycle/service_notifier.h"

namespace stage {

/// What the main process of a service reports periodically to the service manager: that it is alive
/// (WATCHDOG=1), and during the shutdown that it needs more time (EXTEND_TIMEOUT_USEC).
///
/// Used on the loop's thread only, so it stops when that hangs.
class Heartbeat {
public:
    Heartbeat(lifecycle::PollLoop& loop, const lifecycle::ServiceNotifier& notifier)
        : loop_(loop), notifier_(notifier) {}

    /// This process is the main process from now on.
    void start();
    /// Another process is.
    void stop();

    /// The service shuts down; `status` describes the progress.
    void shutdown(std::function<std::string()> status);

private:
    void beat();
    void extend();

    lifecycle::PollLoop& loop_;
    const lifecycle::ServiceNotifier& notifier_;
    lifecycle::PollLoop::Timer next_ = 0;
    std::function<std::string()> status_;
};

}  // namespace stage
