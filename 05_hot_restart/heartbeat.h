#pragma once

#include <functional>
#include <string>

#include "lifecycle/poll_loop.h"
#include "lifecycle/service_notifier.h"

namespace stage {

/// What a service manager wants to hear again and again from the process that it takes for the service: that
/// it is alive (WATCHDOG=1), and while it shuts down that it still needs time (EXTEND_TIMEOUT_USEC).
///
/// Used on the loop's thread alone, so it stops when that hangs.
class Heartbeat {
public:
    Heartbeat(lifecycle::PollLoop& loop, const lifecycle::ServiceNotifier& notifier)
        : loop_(loop), notifier_(notifier) {}

    /// This process is the service from now on.
    void start();
    /// Another one is.
    void stop();

    /// The service shuts down: `status` says how far it is.
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
