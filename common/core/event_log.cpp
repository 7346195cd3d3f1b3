#include "lifecycle/event_log.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <exception>

#include "core/event_line.h"
#include "core/quiet_thread.h"
#include "core/write_thread.h"
#include "lifecycle/try_lock_until.h"

namespace lifecycle {
namespace {

/// Only descriptors 0 to 2 that are closed are touched.
void openMissingStandardStreams() {
    for (int descriptor = 0; descriptor <= 2; ++descriptor) {
        if (::fcntl(descriptor, F_GETFD) == -1 && errno == EBADF) {
            // open() takes the lowest free number, which is this one.
            [[maybe_unused]] const int opened = ::open("/dev/null", O_RDWR);
        }
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
    if (detail::isQuietThread) {  // spares a request four system calls
        return ::write(descriptor, bytes.data(), bytes.size());
    }
    WriteSignalsBlocked blocked;
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written == -1 && (errno == EPIPE || errno == EFBIG)) {
        blocked.failed();
    }
    return written;
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
        const int flags = ::fcntl(descriptor_, F_GETFL);
        if (reopened_ == -1 && (flags & O_NONBLOCK) == 0) {
            try {
                writer_ = detail::WriteThread::start(descriptor_);
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
    detail::appendWord(line, now, word);
    bool tagged = tagKey_.empty();
    for (const EventField& field : fields) {
        detail::appendField(line, field);
        tagged = tagged || field.key() == tagKey_;
    }
    if (!tagged) {
        detail::appendField(line, {tagKey_, tagValue_});
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
    if (!tryLockUntil(lock, begin + limit)) {
        ++dropped_;  // Another thread waits for the reader.
        return;
    }
    // Who has lost a line already does not make every later line wait as well.
    emitLocked(dropped_ == 0 ? begin + limit : begin, word, fields);
} catch (...) {
    // No memory for the line; the service continues.
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
