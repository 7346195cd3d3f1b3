#include "lifecycle/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

namespace lifecycle {

FileDescriptor openRegularFile(const std::string& path, int flags, mode_t mode) {
    const auto fail = [&path](int error) {
        throw std::system_error(error, std::generic_category(), "cannot open " + path);
    };
    // Without O_NONBLOCK, opening a FIFO waits for its other end.
    FileDescriptor file(::open(path.c_str(), flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode));
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0) {
        if (errno == ENXIO) {
            throw std::system_error(EINVAL, std::generic_category(), path + " is not a regular file");
        }
        fail(errno);
    }
    if (S_ISDIR(status.st_mode)) {
        fail(EISDIR);
    }
    if (!S_ISREG(status.st_mode)) {
        throw std::system_error(EINVAL, std::generic_category(), path + " is not a regular file");
    }
    return file;
}

}  // namespace lifecycle
