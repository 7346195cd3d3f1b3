#include "lifecycle/event_log.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <exception>
#include <system_error>

#include "lifecycle/file_descriptor.h"
#include "core/quiet_thread.h"

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

/// Characters that control a terminal, that end a line for some readers, or that XML does not allow.
bool isUnsafe(char32_t character) {
    const auto within = [character](char32_t first, char32_t last) {
        return character >= first && character <= last;
    };
    return character < 0x20 || within(0x7f, 0x9f) ||   // controls
           within(0x2028, 0x2029) ||                   // separators of lines and paragraphs
           within(0x202a, 0x202e) || within(0x2066, 0x2069) ||  // direction of writing
           (character & 0xfffe) == 0xfffe;             // not characters
}

/// How many bytes at the beginning of `text` are one character that can be shown as it is; 0 if the
/// first byte must be escaped. `text` is not empty. Source: the table of well-formed UTF-8 in the
/// Unicode Standard, 3.9.
std::size_t safeBytes(std::string_view text) {
    const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned char first = byte(0);
    const std::size_t size = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    char32_t character = size == 1 ? first : first & (0xffU >> (size + 1));
    if ((size > 1 && (first < 0xc2 || first > 0xf4)) || text.size() < size) {
        return 0;
    }
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0) != 0x80) {
            return 0;
        }
        character = (character << 6) | (byte(i) & 0x3fU);
    }
    const bool overlong = (size == 3 && character < 0x800) || (size == 4 && character < 0x10000);
    const bool surrogate = character >= 0xd800 && character <= 0xdfff;
    return overlong || surrogate || character > 0x10ffff || isUnsafe(character) ? 0 : size;
}

bool needsQuotes(std::string_view value) {
    if (value.empty()) {
        return true;
    }
    while (!value.empty()) {
        const char c = value.front();
        const std::size_t size = safeBytes(value);
        if (size == 0 || c == ' ' || c == '"' || c == '=' || c == '\\') {
            return true;
        }
        value.remove_prefix(size);
    }
    return false;
}

/// Appends the first character of `value` and takes it off.
void appendEscaped(std::string& line, std::string_view& value) {
    const char c = value.front();
    const std::size_t size = safeBytes(value);
    if (c == '"' || c == '\\') {
        line += '\\';
        line += c;
    } else if (c == '\n') {
        line += "\\n";
    } else if (size == 0) {
        char escaped[5];
        std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
        line += escaped;
    } else {
        line += value.substr(0, size);
    }
    value.remove_prefix(std::max<std::size_t>(size, 1));
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
    std::string_view value = shortened(field.value());
    const std::string_view ellipsis = value.size() < field.value().size() ? "…" : "";
    if (!needsQuotes(value)) {
        line += value;
        line += ellipsis;
        return;
    }
    line += '"';
    while (!value.empty()) {
        appendEscaped(line, value);
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

/// Leaves the field out if the line would be too long.
void appendIfItFits(std::string& line, const EventField& field) {
    const std::size_t before = line.size();
    appendField(line, field);
    if (line.size() + 1 > PIPE_BUF) {
        line.resize(before);  // A pipe might take a part of it, and make us wait for the rest.
    }
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

/// While it lives, no SIGPIPE (no reader) and no SIGXFSZ (file size limit) reaches this thread for
/// what it writes: one that was raised is taken back, unless one was pending before.
class WriteSignalsBlocked {
public:
    WriteSignalsBlocked() {
        sigemptyset(&raised_);
        sigaddset(&raised_, SIGPIPE);
        sigaddset(&raised_, SIGXFSZ);
        ::pthread_sigmask(SIG_BLOCK, &raised_, &before_);
    }
    ~WriteSignalsBlocked() {
        if (failed_) {
            const int error = errno;
            constexpr timespec now{};
            for (const int number : {SIGPIPE, SIGXFSZ}) {
                sigset_t one;
                sigemptyset(&one);
                sigaddset(&one, number);
                if (sigismember(&before_, number) == 0) {  // else it was pending before, and stays so
                    ::sigtimedwait(&one, nullptr, &now);
                }
            }
            errno = error;
        }
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    WriteSignalsBlocked(const WriteSignalsBlocked&) = delete;
    WriteSignalsBlocked& operator=(const WriteSignalsBlocked&) = delete;

    void failed() { failed_ = true; }

private:
    sigset_t raised_;
    sigset_t before_;
    bool failed_ = false;
};

ssize_t writeQuietly(int descriptor, std::string_view bytes) {
    WriteSignalsBlocked blocked;
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written == -1 && (errno == EPIPE || errno == EFBIG)) {
        blocked.failed();
    }
    return written;
}

}  // namespace

/// Writes line after line on a thread of its own, so that a reader who does not read blocks only that
/// thread.
class EventLog::Writer {
public:
    /// Writes to a copy: the thread may outlive the descriptor, and its number be another file's then.
    explicit Writer(int descriptor) : descriptor_(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3)) {
        if (!descriptor_) {
            throw std::system_error(errno, std::generic_category(), "fcntl");
        }
    }

    /// Throws std::system_error if there is no thread or no descriptor.
    static std::shared_ptr<Writer> start(int descriptor) {
        auto writer = std::make_shared<Writer>(descriptor);
        detail::startQuietThread("log", [writer] { writer->run(); }).detach();
        return writer;
    }

    /// False if an earlier line is still being written at `until`.
    bool waitUntilFree(TimePoint until) {
        std::unique_lock lock(mutex_);
        return changed_.wait_until(lock, until, [this] { return line_.empty(); });
    }

    /// To be called when no line is being written. Blocks until the line is written, or until `until`; in that
    /// case it is written as soon as somebody reads. Returns how much of it was written or will be.
    std::size_t write(std::string_view line, TimePoint until) {
        std::unique_lock lock(mutex_);
        line_ = line;
        written_ = line.size();
        changed_.notify_all();
        changed_.wait_until(lock, until, [this] { return line_.empty(); });
        return written_;
    }

    /// Leaves the thread behind if it cannot end now.
    void stop() {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        changed_.notify_all();
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return stopped_ || !line_.empty(); });
            if (line_.empty()) {
                return;
            }
            lock.unlock();
            std::size_t done = 0;
            while (done < line_.size()) {  // nobody else touches line_ while it is not empty
                const ssize_t written = ::write(descriptor_.get(), line_.data() + done, line_.size() - done);
                if (written < 0 && errno != EINTR) {
                    break;
                }
                done += static_cast<std::size_t>(std::max<ssize_t>(written, 0));
            }
            lock.lock();
            written_ = done;
            line_.clear();
            changed_.notify_all();
        }
    }

    const FileDescriptor descriptor_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string line_;  // the one to be written, empty if there is none
    std::size_t written_ = 0;
    bool stopped_ = false;
};

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
        const int flags = ::fcntl(descriptor_, F_GETFL);
        if (reopened_ == -1 && (flags & O_NONBLOCK) == 0) {
            try {
                writer_ = Writer::start(descriptor_);
            } catch (const std::exception&) {
                // No thread or no descriptor: better a line that may block than none.
            }
        }
    }
}

EventLog::~EventLog() {
    if (writer_) {
        writer_->stop();
    }
    if (reopened_ != -1) {
        ::close(reopened_);
    }
}

void EventLog::append(std::string& line, Duration now, std::string_view word,
                      std::initializer_list<EventField> fields) const {
    appendTime(line, now);
    line += word;
    bool tagged = tagKey_.empty();
    for (const EventField& field : fields) {
        appendIfItFits(line, field);
        tagged = tagged || field.key() == tagKey_;
    }
    if (!tagged) {
        appendIfItFits(line, {tagKey_, tagValue_});
    }
    line += '\n';
}

Duration EventLog::elapsed() const {
    return Clock::now() - start_;
}

void EventLog::emitWithin(Duration limit, std::string_view word,
                          std::initializer_list<EventField> fields) noexcept try {
    if (neverBlocks_ && dropped_ == 0) {
        thread_local std::string line;  // keeps its memory from event to event
        line.clear();
        append(line, elapsed(), word, fields);
        const std::size_t written = write(line, TimePoint::max());  // the kernel keeps lines of several threads whole
        if (written < line.size()) {
            torn_ = torn_ || written > 0;
            ++dropped_;
        }
        return;
    }
    const TimePoint begin = Clock::now();
    std::unique_lock lock(mutex_, std::defer_lock);
    if (!lockUntil(lock, begin + limit)) {
        ++dropped_;  // Another thread waits for the reader.
        return;
    }
    // Who has lost a line already does not make every later line wait as well.
    emitLocked(dropped_ == 0 ? begin + limit : begin, word, fields);
} catch (...) {
    // No memory for the line; the service continues.
}

bool EventLog::lockUntil(std::unique_lock<std::timed_mutex>& lock, TimePoint until) {
    if (lock.try_lock()) {
        return true;
    }
#if defined(__SANITIZE_THREAD__) && __GNUC__ < 13
    // This ThreadSanitizer does not know pthread_mutex_clocklock, only the lock by the wall clock.
    return lock.try_lock_until(std::chrono::system_clock::now() + (until - Clock::now()));
#else
    return lock.try_lock_until(until);
#endif
}

void EventLog::emitLocked(TimePoint until, std::string_view word, std::initializer_list<EventField> fields) {
    if (!writable(until)) {
        ++dropped_;
        return;
    }
    // Taken under the lock, so that the lines are in order.
    const Duration now = elapsed();
    const std::uint64_t dropped = dropped_;
    thread_local std::string line;
    line = torn_ ? "\n" : "";
    if (dropped > 0) {
        append(line, now, "events.dropped",
                    {{"count", dropped}, {"note", neverBlocks_ ? "could not be written" : "nobody was reading"}});
    }
    const std::size_t told = line.size();
    append(line, now, word, fields);

    const std::size_t written = write(line, until);
    if (written >= told) {
        dropped_ -= dropped;
    }
    if (written == line.size()) {
        torn_ = false;
    } else {
        torn_ = torn_ || written > 0;
        ++dropped_;
    }
}

bool EventLog::writable(TimePoint until) const {
    if (neverBlocks_) {
        return true;
    }
    if (writer_) {
        return writer_->waitUntilFree(until);
    }
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd descriptor{output(), POLLOUT, 0};
    const int ready = ::poll(&descriptor, 1, static_cast<int>(std::max<long long>(rest, 0)));
    return ready == 1 && (descriptor.revents & POLLOUT) != 0;
}

std::size_t EventLog::write(std::string_view line, TimePoint until) {
    if (writer_) {
        return writer_->write(line, until);
    }
    std::size_t done = 0;
    while (done < line.size()) {
        const std::string_view rest = line.substr(done);
        const ssize_t written = isSocket_ ? ::send(descriptor_, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                          : writeQuietly(output(), rest);
        if (written >= 0) {
            done += static_cast<std::size_t>(written);
        } else if (errno != EINTR && !(errno == EAGAIN && writable(until))) {
            break;
        }
    }
    return done;
}

}  // namespace lifecycle
