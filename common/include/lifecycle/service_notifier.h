#pragma once

#include <sys/types.h>

#include <string>

namespace lifecycle {

/// Tells a service manager how far a service is, over the socket that it names in NOTIFY_SOCKET;
/// without that variable nothing is told. Never blocks, never throws: the service does not depend on
/// who listens. All functions may be called from every thread.
///
/// Source: sd_notify(3), https://www.freedesktop.org/software/systemd/man/sd_notify.html
class ServiceNotifier {
public:
    /// Reads NOTIFY_SOCKET, which stays for the next generation.
    ServiceNotifier();

    /// The process `mainPid` serves; also what ends a reload.
    void ready(pid_t mainPid) const noexcept;

    /// A restart begins.
    void reloading() const noexcept;

    /// The service ends. To be told once, by its last process: it cannot be taken back.
    void stopping() const noexcept;

private:
    void send(const std::string& state) const noexcept;

    std::string path_;
};

}  // namespace lifecycle
