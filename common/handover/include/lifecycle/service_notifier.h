#pragma once

#include <sys/types.h>

#include <string>

#include "lifecycle/duration.h"

namespace lifecycle {

/// Reports the state of a service to its service manager, over the socket that NOTIFY_SOCKET names; does nothing
/// without that variable. Never blocks and never throws: the service does not depend on its service manager. All
/// functions may be called from every thread.
///
/// Source: sd_notify(3), https://www.freedesktop.org/software/systemd/man/sd_notify.html
class ServiceNotifier {
public:
    /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and leaves them set for the next generation.
    ServiceNotifier();

    /// The process `mainPid` serves; also ends a reload. `status` is for people, here and below: `systemctl
    /// status` shows the last one.
    void ready(pid_t mainPid, const std::string& status = "") const noexcept;

    /// A restart begins.
    void reloading(const std::string& status = "") const noexcept;

    /// The service shuts down. To be called once, by its last process: it cannot be taken back.
    void stopping(const std::string& status = "") const noexcept;

    /// The shutdown goes on: the service manager must allow it at least `duration` more from now on.
    void extendTimeout(Duration duration, const std::string& status = "") const noexcept;

    /// This process is alive.
    void watchdog() const noexcept;

    /// How often this process should call watchdog(): half the time after which the service manager would kill
    /// the service. Zero: not at all.
    Duration watchdogInterval() const { return watchdogInterval_; }

private:
    void send(std::string state, const std::string& status) const noexcept;

    std::string path_;
    Duration watchdogInterval_{};
};

}  // namespace lifecycle
