#include "orders/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace stage {
namespace {

int open(const std::string& path) {
    constexpr int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;  // must not block on a FIFO or a device
    int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | flags, 0644);
    if (descriptor == -1 && (errno == EACCES || errno == EROFS)) {
        descriptor = ::open(path.c_str(), O_RDONLY | flags);  // It may become writable later.
    }
    if (descriptor == -1) {
        throw std::runtime_error("cannot open " + path + ": " + std::generic_category().message(errno));
    }
    struct stat status {};
    if (::fstat(descriptor, &status) == -1 || !S_ISREG(status.st_mode)) {
        ::close(descriptor);
        throw std::runtime_error(path + " is not a regular file");
    }
    return descriptor;
}

}  // namespace

FileLock::FileLock(const std::string& path) : descriptor_(open(path)) {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == -1) {
        ::close(descriptor_);
        throw std::runtime_error(path + " is in use by another process");
    }
}

FileLock::~FileLock() {
    ::close(descriptor_);
}

}  // namespace stage
