#include "captured_output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace lifecycle::test {

CapturedOutput::CapturedOutput(FileDescriptor standardOutput, FileDescriptor standardError)
    : output_(std::move(standardOutput)), error_(std::move(standardError)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_) {
        throw std::system_error(errno, std::generic_category(), "eventfd");
    }
    for (const FileDescriptor* pipe : {&output_, &error_}) {
        ::fcntl(pipe->get(), F_SETFL, O_NONBLOCK);
    }
    reader_ = std::thread([this] { readUntilStopped(); });
}

CapturedOutput::~CapturedOutput() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wakeReader();
    reader_.join();
}

void CapturedOutput::takeInRest() {
    std::unique_lock lock(mutex_);
    rest_wanted_ = true;
    wakeReader();
    changed_.wait(lock, [this] { return rest_taken_; });
}

bool CapturedOutput::waitForEvents(
    const std::function<bool(const std::vector<Event>&)>& condition, Deadline deadline) const {
    std::unique_lock lock(mutex_);
    bool holds = false;
    changed_.wait_until(lock, deadline.at(), [&] {
        holds = condition(events_);
        return holds || error_closed_;
    });
    return holds;
}

std::string CapturedOutput::standardOutput() const {
    const std::lock_guard lock(mutex_);
    return output_bytes_;
}

std::vector<CapturedLine> CapturedOutput::standardError() const {
    const std::lock_guard lock(mutex_);
    return error_lines_;
}

std::vector<Event> CapturedOutput::events() const {
    const std::lock_guard lock(mutex_);
    return events_;
}

void CapturedOutput::wakeReader() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void CapturedOutput::readUntilStopped() {
    while (true) {
        // poll skips a negative descriptor: a closed stream simply never reports anything.
        std::array<pollfd, 3> polled{{{output_.get(), POLLIN, 0},
                                      {error_.get(), POLLIN, 0},
                                      {wake_.get(), POLLIN, 0}}};
        ::poll(polled.data(), polled.size(), -1);
        std::uint64_t wakes = 0;
        [[maybe_unused]] const auto drained = ::read(wake_.get(), &wakes, sizeof wakes);

        bool restWanted = false;
        {
            const std::lock_guard lock(mutex_);
            if (stop_) {
                return;
            }
            restWanted = rest_wanted_;
        }
        bool more = true;
        while (more) { // once in the usual case; until the pipes are empty for takeInRest
            const bool moreOutput = readOnce(output_, false);
            const bool moreError = readOnce(error_, true);
            more = restWanted && (moreOutput || moreError);
        }
        if (restWanted) {
            const std::lock_guard lock(mutex_);
            rest_wanted_ = false;
            rest_taken_ = true;
            changed_.notify_all();
        }
    }
}

/// Returns whether there was something to read.
bool CapturedOutput::readOnce(FileDescriptor& pipe, bool isError) {
    if (!pipe) {
        return false;
    }
    std::array<char, 64 * 1024> bytes;
    const auto count = ::read(pipe.get(), bytes.data(), bytes.size());
    const auto now = Clock::now();
    if (count < 0) {
        return errno == EINTR;
    }

    const std::lock_guard lock(mutex_);
    if (count > 0 && isError) {
        addErrorBytes({bytes.data(), static_cast<std::size_t>(count)}, now);
    } else if (count > 0) {
        output_bytes_.append(bytes.data(), static_cast<std::size_t>(count));
    } else {
        pipe.reset();
        if (isError) {
            if (!unfinished_line_.empty()) {
                finishErrorLine(now); // the last line may lack its newline
            }
            error_closed_ = true;
        }
    }
    changed_.notify_all();
    return count > 0;
}

void CapturedOutput::addErrorBytes(std::string_view bytes, Clock::time_point now) {
    for (const char c : bytes) {
        if (c == '\n') {
            finishErrorLine(now);
        } else {
            unfinished_line_ += c;
        }
    }
}

void CapturedOutput::finishErrorLine(Clock::time_point now) {
    if (auto event = parseEvent(unfinished_line_)) {
        event->arrivedAt = now;
        events_.push_back(std::move(*event));
    }
    error_lines_.push_back({std::move(unfinished_line_), now});
    unfinished_line_.clear();
}

} // namespace lifecycle::test
