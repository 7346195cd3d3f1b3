#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "lifecycle/duration.h"

namespace lifecycle {

namespace detail {
class WriteThread;
}

/// One `key=value` of an event. Lives no longer than the call it is written in: texts are not copied.
class EventField {
public:
    EventField(std::string_view key, std::string_view value) : key_(key), text_(value) {}
    EventField(std::string_view key, const char* value) : key_(key), text_(value) {}
    EventField(std::string_view key, const std::string& value) : key_(key), text_(value) {}
    /// Rounded for people, see formatRounded.
    EventField(std::string_view key, Duration value)
        : key_(key), formatted_(formatRounded(value)), text_(formatted_) {}
    template <std::integral Number>
    EventField(std::string_view key, Number value)
        : key_(key), formatted_(std::to_string(value)), text_(formatted_) {}

    // text_ may point into formatted_.
    EventField(const EventField&) = delete;
    EventField& operator=(const EventField&) = delete;

    std::string_view key() const { return key_; }
    std::string_view value() const { return text_; }

private:
    std::string_view key_;
    std::string formatted_;
    std::string_view text_;
};

/// Logs the events of a process, in lines that a person can read and a script can parse:
///
///     +1.204s signal name=SIGTERM number=15 sender_pid=812 sender_uid=1000
///
/// The time since the log was made, a fixed word, then fields in logfmt. Values with blanks, quotes,
/// `=` or control characters are quoted and escaped, so that a client cannot forge a line with a
/// strange path. Escaped as `\xNN`, byte by byte: control characters (C0 and C1), line and paragraph
/// separators, characters that reverse the direction of writing, and bytes that are not UTF-8. Values
/// of more than 512 bytes are shortened, and no line is longer than PIPE_BUF.
///
/// Every line is one write(2) and thus visible at once. A reader that has stopped reading (a full pipe, a stopped
/// terminal) cannot block the process: after `patience` the line is dropped. So is a line that cannot be written
/// because of a full disk or a file size limit. The next line that gets through is preceded by `events.dropped
/// count=…`, and starts on a new line if a part of the lost one was written; lines dropped after the last one
/// written are not reported. A closed descriptor or a reader that is gone is not an error, and raises no signal.
/// All functions but tag() may be called from every thread, and never throw.
///
/// Lines are in the order of their times, except in a file: there threads do not wait for each
/// other, and two lines of the same moment may stand in either order.
///
/// Writes to a terminal or a pipe of another user (after su, setpriv) may block. The log has a thread of
/// its own for them, which is left behind when the process exits; the lines it holds then are lost uncounted.
class EventLog {
public:
    /// Blocks at most this long in emit().
    static constexpr Duration patience = std::chrono::milliseconds(100);

    /// Writes to `descriptor`, standard error by default. Opens /dev/null on those of the
    /// descriptors 0, 1 and 2 that are closed: otherwise the next socket would get such a number,
    /// and events would be sent to a client.
    explicit EventLog(int descriptor = 2);

    ~EventLog();

    EventLog(const EventLog&) = delete;
    EventLog& operator=(const EventLog&) = delete;

    /// Adds `key=value` to every event that has no such field, for instance to show which of several processes
    /// that share a log wrote a line. Must be called before other threads use the log.
    void tag(std::string key, std::string value) {
        tagKey_ = std::move(key);
        tagValue_ = std::move(value);
    }

    void emit(std::string_view word, std::initializer_list<EventField> fields = {}) noexcept {
        emitWithin(patience, word, fields);
    }

    /// As emit, blocking at most `limit` for the lock and the descriptor together.
    void emitWithin(Duration limit, std::string_view word,
                    std::initializer_list<EventField> fields) noexcept;

    /// Time since the log was made.
    Duration elapsed() const;

private:
    int output() const { return reopened_ != -1 ? reopened_ : descriptor_; }
    bool writable(TimePoint until) const;
    void emitLocked(TimePoint until, std::string_view word, std::initializer_list<EventField> fields);
    std::size_t write(std::string_view line, TimePoint until);
    void append(std::string& line, Duration now, std::string_view word,
                std::initializer_list<EventField> fields) const;

    const int descriptor_;
    const bool neverBlocks_;
    const bool isSocket_;
    int reopened_ = -1;  // descriptor_ opened anew as non-blocking; -1 if that is not needed or not possible
    std::shared_ptr<detail::WriteThread> writer_;  // if that is not possible; shared with its thread
    const TimePoint start_;
    std::string tagKey_;
    std::string tagValue_;
    std::atomic<std::uint64_t> dropped_ = 0;
    std::timed_mutex mutex_;
    std::atomic<bool> torn_ = false;  // the last line was written only in part
};

}  // namespace lifecycle
