#include "lifecycle/service_notifier.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <system_error>

#include "lifecycle/file_descriptor.h"

namespace lifecycle {
namespace {

/// The value of that variable, if it is a number above 0.
std::optional<std::int64_t> numberIn(const char* variable) {
    const char* text = std::getenv(variable);
    std::int64_t number = 0;
    if (text == nullptr) {
        return std::nullopt;
    }
    const char* const end = text + std::strlen(text);
    const auto [rest, error] = std::from_chars(text, end, number);
    return error == std::errc() && rest == end && number > 0 ? std::optional(number) : std::nullopt;
}

std::string microseconds(Duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

}  // namespace

ServiceNotifier::ServiceNotifier() {
    if (const char* path = std::getenv("NOTIFY_SOCKET")) {
        path_ = path;
    }
    constexpr std::int64_t maxMicroseconds = Duration::max().count() / 1000;
    const auto limit = numberIn("WATCHDOG_USEC");
    if (!path_.empty() && limit && *limit < maxMicroseconds &&
        numberIn("WATCHDOG_PID").value_or(::getpid()) == ::getpid()) {
        watchdogInterval_ = std::chrono::microseconds(*limit) / 2;
    }
}

void ServiceNotifier::ready(pid_t mainPid, const std::string& status) const noexcept {
    send("MAINPID=" + std::to_string(mainPid) + "\nREADY=1", status);
}

void ServiceNotifier::reloading(const std::string& status) const noexcept {
    // steady_clock is CLOCK_MONOTONIC here.
    send("RELOADING=1\nMONOTONIC_USEC=" + microseconds(Clock::now().time_since_epoch()), status);
}

void ServiceNotifier::stopping(const std::string& status) const noexcept {
    send("STOPPING=1", status);
}

void ServiceNotifier::extendTimeout(Duration duration, const std::string& status) const noexcept {
    send("EXTEND_TIMEOUT_USEC=" + microseconds(duration), status);
}

void ServiceNotifier::watchdog() const noexcept {
    send("WATCHDOG=1", "");
}

void ServiceNotifier::send(std::string state, const std::string& status) const noexcept {
    if (!status.empty()) {
        const std::size_t begin = state.size() + 1;
        state += "\nSTATUS=" + status;
        std::replace(state.begin() + static_cast<std::ptrdiff_t>(begin), state.end(), '\n', ' ');
    }
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
