#include "core/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <thread>

namespace lifecycle::detail {
namespace {

/// flock(2) knows no limit in time.
constexpr Duration retryEvery = std::chrono::milliseconds(1);

FileDescriptor openDirectoryOf(const std::string& path) noexcept {
    try {
        const std::size_t slash = path.rfind('/');
        const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
        return FileDescriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    } catch (...) {  // bad_alloc
        return {};
    }
}

}  // namespace

DirectoryLock::DirectoryLock(const std::string& path, Duration limit) noexcept
    : directory_(openDirectoryOf(path)) {
    const TimePoint end = addSaturated(Clock::now(), limit);
    while (directory_ && !(locked_ = ::flock(directory_.get(), LOCK_EX | LOCK_NB) == 0)) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || Clock::now() >= end) {
            return;
        }
        std::this_thread::sleep_for(retryEvery);
    }
}

DirectoryLock::~DirectoryLock() {
    if (locked_) {
        ::flock(directory_.get(), LOCK_UN);  // not by close(): a child on its way to exec has a copy
    }
}

}  // namespace lifecycle::detail
