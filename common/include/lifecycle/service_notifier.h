#pragma once

#include <sys/types.h>

#include <string>

#include "lifecycle/duration.h"

namespace lifecycle {

/// Tells a service manager how far a service is, over the socket that it names in NOTIFY_SOCKET;
/// without that variable nothing is told. Never blocks, never throws: the service does not depend on
/// who listens. All functions may be called from every thread.
///
/// Source: sd_notify(3), https://www.freedesktop.org/software/systemd/man/sd_notify.html
class ServiceNotifier {
public:
    /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, which stay for the next generation.
    ServiceNotifier();

    /// The process `mainPid` serves; also what ends a reload. `status` is for people, as in all of these:
    /// `systemctl status` shows the last one.
    void ready(pid_t mainPid, const std::string& status = "") const noexcept;

    /// A restart begins.
    void reloading(const std::string& status = "") const noexcept;

    /// The service shuts down. To be told once, by its last process: it cannot be taken back.
    void stopping(const std::string& status = "") const noexcept;

    /// It still does: the service manager must not lose patience for so long.
    void extendTimeout(Duration duration, const std::string& status = "") const noexcept;

    /// This process is alive.
    void watchdog() const noexcept;

    /// How often the service manager wants to hear watchdog() from this process, or zero: not at all. Half of
    /// the time after which it would kill the service.
    Duration watchdogInterval() const { return watchdogInterval_; }

private:
    void send(std::string state, const std::string& status) const noexcept;

    std::string path_;
    Duration watchdogInterval_{};
};

}  // namespace lifecycle
