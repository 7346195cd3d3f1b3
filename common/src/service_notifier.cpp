#include "lifecycle/service_notifier.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "lifecycle/duration.h"
#include "lifecycle/file_descriptor.h"

namespace lifecycle {

ServiceNotifier::ServiceNotifier() {
    if (const char* path = std::getenv("NOTIFY_SOCKET")) {
        path_ = path;
    }
}

void ServiceNotifier::ready(pid_t mainPid) const noexcept {
    send("MAINPID=" + std::to_string(mainPid) + "\nREADY=1");
}

void ServiceNotifier::reloading() const noexcept {
    // steady_clock is CLOCK_MONOTONIC here.
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch());
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
}

void ServiceNotifier::stopping() const noexcept {
    send("STOPPING=1");
}

void ServiceNotifier::send(const std::string& state) const noexcept {
    sockaddr_un address{};
    if (path_.empty() || path_.size() >= sizeof address.sun_path) {
        return;
    }
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    if (path_[0] == '@') {
        address.sun_path[0] = '\0';  // the abstract namespace
    }
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ::sendto(socket.get(), state.data(), state.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address), length);
}

}  // namespace lifecycle
