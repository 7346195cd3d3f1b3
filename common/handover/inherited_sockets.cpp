#include "lifecycle/inherited_sockets.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace lifecycle {
namespace {

constexpr int firstDescriptor = 3;
constexpr int maxDescriptors = 1000;

void closeAllOnExec() {
    if (::syscall(SYS_close_range, firstDescriptor, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
        return;
    }
    // Linux older than 5.11: one by one.
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    for (rlim_t descriptor = firstDescriptor; descriptor < std::min<rlim_t>(limit.rlim_cur, 65536); ++descriptor) {
        ::fcntl(static_cast<int>(descriptor), F_SETFD, FD_CLOEXEC);
    }
}

/// Returns the value and unsets the variable.
std::optional<std::string> takeVariable(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    std::string copy = value;
    ::unsetenv(name);
    return copy;
}

int parseNumber(const std::string& text, const char* variable) {
    int number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 0) {
        throw StartError(std::string(variable) + "=" + text + " is not a number");
    }
    return number;
}

std::vector<std::string> splitNames(std::string_view list) {
    std::vector<std::string> names;
    for (std::size_t begin = 0; begin <= list.size();) {
        const std::size_t colon = std::min(list.find(':', begin), list.size());
        names.emplace_back(list.substr(begin, colon - begin));
        begin = colon + 1;
    }
    return names;
}

bool isChannel(int descriptor) {
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

void checkAgainstStart(InheritedSockets& inherited) {
    std::optional<RestartMessage> start = inherited.starter->receive();
    if (!start || start->word != "start") {
        throw StartError("the previous generation did not send what it hands over");
    }
    if (start->number("version") != RestartChannel::version) {
        throw StartError("the previous generation uses version " + std::string(start->text("version")) +
                         " of the hand-over protocol, not " + std::to_string(RestartChannel::version));
    }
    for (std::size_t i = 0; i < inherited.sockets.size(); ++i) {
        const std::string number = std::to_string(i);
        const std::string actual = inherited.sockets[i].address().toString();
        const std::string_view expected = start->text("socket" + number);
        if (actual != expected) {
            throw StartError("the previous generation names " + std::string(expected) + ", but descriptor " +
                             std::to_string(inherited.sockets[i].descriptor()) + " listens on " + actual);
        }
        inherited.sockets[i].boundTo(std::string(start->text("file" + number)));
    }
    inherited.start = std::move(*start);
}

}  // namespace

InheritedSockets InheritedSockets::fromEnvironment() {
    closeAllOnExec();
    const std::optional<std::string> pid = takeVariable("LISTEN_PID");
    const std::optional<std::string> count = takeVariable("LISTEN_FDS");
    const std::optional<std::string> names = takeVariable("LISTEN_FDNAMES");
    takeVariable("LISTEN_PIDFDID");  // newer systemd: also names the process

    InheritedSockets inherited;
    if (!count || (pid && parseNumber(*pid, "LISTEN_PID") != ::getpid())) {
        return inherited;  // they are for another process
    }
    const int number = parseNumber(*count, "LISTEN_FDS");
    if (number > maxDescriptors) {
        throw StartError("LISTEN_FDS=" + *count + " is more than " + std::to_string(maxDescriptors));
    }
    const std::vector<std::string> nameOf = splitNames(names.value_or(""));

    std::vector<FileDescriptor> all;
    for (int i = 0; i < number; ++i) {
        all.emplace_back(firstDescriptor + i);
        if (::fcntl(firstDescriptor + i, F_GETFD) == -1) {
            throw StartError("LISTEN_FDS=" + *count + ", but descriptor " +
                             std::to_string(firstDescriptor + i) + " is not open");
        }
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::string name = i < nameOf.size() ? nameOf[i] : "";
        if (!pid && name == "restart" && isChannel(all[i].get())) {
            inherited.starter.emplace(std::move(all[i]));
        } else if (!pid && name == "older") {
            inherited.older.push_back(std::move(all[i]));
        } else {
            inherited.sockets.push_back(ListeningSocket::adopt(std::move(all[i])));
        }
    }
    if (!pid && !inherited.starter) {
        throw StartError("LISTEN_FDS without LISTEN_PID: it is unknown for which process these sockets are");
    }
    if (inherited.starter) {
        checkAgainstStart(inherited);
    }
    return inherited;
}

std::vector<const ListeningSocket*> InheritedSockets::pointers() const {
    std::vector<const ListeningSocket*> pointers;
    for (const ListeningSocket& socket : sockets) {
        pointers.push_back(&socket);
    }
    return pointers;
}

}  // namespace lifecycle
