#include "lifecycle/pid_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "lifecycle/file_descriptor.h"

namespace lifecycle {

void PidFile::write() const {
    if (path_.empty()) {
        return;
    }
    const std::string text = std::to_string(::getpid()) + "\n";
    const std::string beside = path_ + "." + std::to_string(::getpid());
    const auto fail = [&] {
        const int error = errno;
        ::unlink(beside.c_str());
        throw std::system_error(error, std::generic_category(), "cannot write the pid file " + path_);
    };
    FileDescriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        fail();
    }
    file.reset();
    if (::rename(beside.c_str(), path_.c_str()) != 0) {
        fail();
    }
}

void PidFile::remove() const noexcept {
    if (path_.empty()) {
        return;
    }
    const FileDescriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 32> text{};
    if (::read(file.get(), text.data(), text.size() - 1) > 0 &&
        std::strtol(text.data(), nullptr, 10) == ::getpid()) {
        ::unlink(path_.c_str());
    }
}

}  // namespace lifecycle
