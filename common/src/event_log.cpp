#include "lifecycle/event_log.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace lifecycle {
namespace {

constexpr std::size_t longestValue = 512;

/// Only descriptors 0 to 2 that are closed are touched.
void openMissingStandardStreams() {
    for (int descriptor = 0; descriptor <= 2; ++descriptor) {
        if (::fcntl(descriptor, F_GETFD) == -1 && errno == EBADF) {
            // open() takes the lowest free number, which is this one.
            [[maybe_unused]] const int opened = ::open("/dev/null", O_RDWR);
        }
    }
}

bool isControl(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool needsQuotes(std::string_view value) {
    return value.empty() || std::any_of(value.begin(), value.end(), [](char c) {
               return c == ' ' || c == '"' || c == '=' || c == '\\' || isControl(c);
           });
}

void appendEscaped(std::string& line, char c) {
    if (c == '"' || c == '\\') {
        line += '\\';
        line += c;
    } else if (c == '\n') {
        line += "\\n";
    } else if (isControl(c)) {
        char escaped[5];
        std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
        line += escaped;
    } else {
        line += c;
    }
}

std::string_view shortened(std::string_view value) {
    if (value.size() <= longestValue) {
        return value;
    }
    std::size_t end = longestValue;
    while (end > longestValue - 4 && (static_cast<unsigned char>(value[end]) & 0xc0) == 0x80) {
        --end;  // not within a character of UTF-8
    }
    return value.substr(0, end);
}

void appendField(std::string& line, const EventField& field) {
    line += ' ';
    line += field.key();
    line += '=';
    const std::string_view value = shortened(field.value());
    const std::string_view ellipsis = value.size() < field.value().size() ? "…" : "";
    if (!needsQuotes(value)) {
        line += value;
        line += ellipsis;
        return;
    }
    line += '"';
    for (char c : value) {
        appendEscaped(line, c);
    }
    line += ellipsis;
    line += '"';
}

void appendTime(std::string& line, Duration elapsed) {
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(elapsed).count();
    line += '+';
    line += std::to_string(milliseconds / 1000);
    const std::string fraction = std::to_string(milliseconds % 1000);
    line += '.';
    line.append(3 - fraction.size(), '0');
    line += fraction;
    line += "s ";
}

void appendEvent(std::string& line, Duration now, std::string_view word,
                 std::initializer_list<EventField> fields) {
    appendTime(line, now);
    line += word;
    for (const EventField& field : fields) {
        const std::size_t before = line.size();
        appendField(line, field);
        if (line.size() + 1 > PIPE_BUF) {
            line.resize(before);  // A pipe might take a part of it, and make us wait for the rest.
        }
    }
    line += '\n';
}

mode_t typeOf(int descriptor) {
    struct stat status{};
    return ::fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

/// A file, or a device such as /dev/null, takes every line at once.
bool isFileOrNull(int descriptor) {
    const mode_t type = typeOf(descriptor);
    return type == S_IFREG || (type == S_IFCHR && ::isatty(descriptor) == 0);
}

}  // namespace

EventLog::EventLog(int descriptor)
    : descriptor_(descriptor),
      neverBlocks_(isFileOrNull(descriptor)),
      isSocket_(typeOf(descriptor) == S_IFSOCK),
      start_(Clock::now()) {
    openMissingStandardStreams();
    if (::isatty(descriptor_) == 1 || typeOf(descriptor_) == S_IFIFO) {
        // A terminal with room for half a line would hold the write, and so would a pipe whose room
        // another process has just used up. Opened anew it can be told not to block, without a change
        // for those who share the descriptor.
        const std::string name = "/proc/self/fd/" + std::to_string(descriptor_);
        reopened_ = ::open(name.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
}

EventLog::~EventLog() {
    if (reopened_ != -1) {
        ::close(reopened_);
    }
}

Duration EventLog::elapsed() const {
    return Clock::now() - start_;
}

void EventLog::emitWithin(Duration limit, std::string_view word,
                          std::initializer_list<EventField> fields) noexcept try {
    thread_local std::string line;  // keeps its memory from event to event
    if (neverBlocks_) {
        line.clear();
        appendEvent(line, elapsed(), word, fields);
        write(line, TimePoint::max());  // the kernel keeps lines of several threads whole
        return;
    }
    const TimePoint begin = Clock::now();
    std::unique_lock lock(mutex_, std::try_to_lock);
    // By the wall clock, because ThreadSanitizer does not know pthread_mutex_clocklock before GCC 13.
    // Should that clock jump: whoever holds the lock gives it back within `patience`.
    if (!lock && !lock.try_lock_until(std::chrono::system_clock::now() + limit)) {
        ++dropped_;  // Another thread waits for the reader.
        return;
    }
    // Who has lost a line already does not make every later line wait as well.
    const std::uint64_t dropped = dropped_.load();
    const TimePoint until = dropped == 0 ? begin + limit : begin;
    if (!writable(until)) {
        ++dropped_;
        return;
    }
    // Taken under the lock, so that the lines are in order.
    const Duration now = elapsed();
    line = torn_ ? "\n" : "";
    if (dropped > 0) {
        appendEvent(line, now, "events.dropped", {{"count", dropped}, {"note", "nobody was reading"}});
    }
    appendEvent(line, now, word, fields);

    const std::size_t written = write(line, until);
    if (written == line.size()) {
        torn_ = false;
        dropped_ -= dropped;
    } else {
        torn_ = torn_ || written > 0;
        ++dropped_;
    }
} catch (...) {
    // No memory for the line. The service goes on.
}

bool EventLog::writable(TimePoint until) const {
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd descriptor{output(), POLLOUT, 0};
    const int ready = ::poll(&descriptor, 1, static_cast<int>(std::max<long long>(rest, 0)));
    return ready == 1 && (descriptor.revents & POLLOUT) != 0;
}

std::size_t EventLog::write(std::string_view line, TimePoint until) {
    std::size_t done = 0;
    while (done < line.size()) {
        const char* const rest = line.data() + done;
        const ssize_t written = isSocket_ ? ::send(descriptor_, rest, line.size() - done, MSG_DONTWAIT | MSG_NOSIGNAL)
                                          : ::write(output(), rest, line.size() - done);
        if (written >= 0) {
            done += static_cast<std::size_t>(written);
        } else if (errno != EINTR && !(errno == EAGAIN && writable(until))) {
            break;
        }
    }
    return done;
}

}  // namespace lifecycle
