#include "core/write_thread.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/quiet_thread.h"

namespace lifecycle::detail {

std::shared_ptr<WriteThread> WriteThread::start(int descriptor) {
    auto writer = std::make_shared<WriteThread>(descriptor);
    startQuietThread("log", [writer] { writer->run(); }).detach();
    return writer;
}

WriteThread::WriteThread(int descriptor) : descriptor_(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3)) {
    if (!descriptor_) {
        throw std::system_error(errno, std::generic_category(), "fcntl");
    }
}

bool WriteThread::waitUntilFree(TimePoint until) {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, until, [this] { return line_.empty(); });
}

std::size_t WriteThread::write(std::string_view line, TimePoint until) {
    std::unique_lock lock(mutex_);
    line_ = line;
    written_ = line.size();
    changed_.notify_all();
    changed_.wait_until(lock, until, [this] { return line_.empty(); });
    return written_;
}

void WriteThread::stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
}

void WriteThread::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return stopped_ || !line_.empty(); });
        if (line_.empty()) {
            return;
        }
        lock.unlock();
        std::size_t done = 0;
        while (done < line_.size()) {
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

}  // namespace lifecycle::detail
