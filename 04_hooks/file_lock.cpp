#include "file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace stage {
namespace {

int open(const std::string& path) {
    int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor == -1 && (errno == EACCES || errno == EROFS)) {
        descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);  // It may become writable later.
    }
    if (descriptor == -1) {
        throw std::runtime_error("cannot open " + path + ": " + std::generic_category().message(errno));
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
