#include "lifecycle/pid_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

#include "core/directory_lock.h"
#include "lifecycle/file_descriptor.h"
#include "lifecycle/regular_file.h"

namespace lifecycle {
namespace {

/// How long to wait for another process to release the directory. Short, since a forced exit waits for it, too.
constexpr Duration lockLimit = std::chrono::milliseconds(20);

}  // namespace

void PidFile::write() const {
    if (path_.empty()) {
        return;
    }
    const std::string text = std::to_string(::getpid()) + "\n";
    const std::string temporary = path_ + "." + std::to_string(::getpid());
    const auto fail = [&](int error) {
        throw std::system_error(error, std::generic_category(), "cannot write the pid file " + path_);
    };
    const detail::DirectoryLock lock(path_, lockLimit);
    const auto create = [&temporary] {
        return FileDescriptor(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    };
    FileDescriptor file = create();
    if (!file && errno == EEXIST) {
        ::unlink(temporary.c_str());  // left by an earlier process with the same pid
        file = create();
    }
    if (!file) {
        fail(errno);
    }
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::rename(temporary.c_str(), path_.c_str()) != 0) {
        const int error = errno;
        ::unlink(temporary.c_str());
        fail(error);
    }
}

void PidFile::remove() const noexcept try {
    if (path_.empty()) {
        return;
    }
    const detail::DirectoryLock lock(path_, lockLimit);
    const FileDescriptor file = openRegularFile(path_, O_RDONLY);
    std::array<char, 32> text{};
    if (::read(file.get(), text.data(), text.size() - 1) > 0 &&
        std::strtol(text.data(), nullptr, 10) == ::getpid()) {
        ::unlink(path_.c_str());
    }
} catch (const std::exception&) {
    // Somebody has removed or replaced it.
}

}  // namespace lifecycle
