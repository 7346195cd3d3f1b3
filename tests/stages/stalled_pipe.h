#pragma once

#include "lifecycle/file_descriptor.h"

#include <fcntl.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace lifecycle::test {

/// A pipe that nobody reads, and that is full: the worst place for a log.
class StalledPipe {
public:
    enum class Full { now, later };

    explicit StalledPipe(Full full = Full::now) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) {
            throw std::system_error(errno, std::generic_category(), "pipe2");
        }
        reader_ = FileDescriptor(ends[0]);
        writer_ = FileDescriptor(ends[1]);
        if (full == Full::now) {
            fill();
        }
    }

    void fill() const {
        // Opened anew: O_NONBLOCK on our end alone, not on what a program opens by name.
        const FileDescriptor filler(::open(name().c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
        const std::string bytes(4096, '.');
        while (::write(filler.get(), bytes.data(), bytes.size()) > 0) {
        }
    }

    /// Opens the writing end, in every process while this one lives.
    std::string name() const {
        return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(writer_.get());
    }

private:
    FileDescriptor reader_;
    FileDescriptor writer_;
};

} // namespace lifecycle::test
