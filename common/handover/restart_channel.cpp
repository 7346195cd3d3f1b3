#include "lifecycle/restart_channel.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <new>
#include <system_error>

namespace lifecycle {

std::string_view RestartMessage::text(std::string_view key) const {
    for (const auto& [name, value] : fields) {
        if (name == key) {
            return value;
        }
    }
    return {};
}

std::uint64_t RestartMessage::number(std::string_view key) const {
    const std::string_view digits = text(key);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() ? value : 0;
}

RestartChannel::Ends RestartChannel::make() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw std::system_error(errno, std::generic_category(), "socketpair");
    }
    return {RestartChannel(FileDescriptor(ends[0])), FileDescriptor(ends[1])};
}

bool RestartChannel::send(const RestartMessage& message) const noexcept try {
    // On the wire: the word, then key=value, one per line.
    std::string text = message.word;
    for (const auto& [key, value] : message.fields) {
        text += "\n" + key + "=" + value;
    }
    return ::send(descriptor(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
} catch (const std::bad_alloc&) {
    return false;
}

std::optional<RestartMessage> RestartChannel::receive() {
    std::string bytes;
    const auto next = [&] {
        char first = 0;
        const ssize_t length = ::recv(descriptor(), &first, 1, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC);
        bytes.resize(length > 0 ? static_cast<std::size_t>(length) : 1);
        return length < 0 ? length : ::recv(descriptor(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    };
    ssize_t size = ended_ ? 0 : next();
    if (size < 0 && errno == ECONNRESET) {
        size = next();  // The other end was closed with unread messages in it: those that it sent come after this.
    }
    if (size <= 0) {
        ended_ = ended_ || size == 0 || (errno != EAGAIN && errno != EINTR);
        return std::nullopt;
    }
    std::string_view rest(bytes.data(), static_cast<std::size_t>(size));
    const auto nextLine = [&rest] {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        return line;
    };
    RestartMessage message{std::string(nextLine())};
    while (!rest.empty()) {
        const std::string_view line = nextLine();
        const std::size_t equals = line.find('=');
        if (equals != std::string_view::npos) {
            message.fields.emplace_back(line.substr(0, equals), line.substr(equals + 1));
        }
    }
    return message;
}

}  // namespace lifecycle
