#pragma once

#include <string>

#include "lifecycle/duration.h"
#include "lifecycle/file_descriptor.h"

namespace lifecycle::detail {

/// Excludes the other processes and threads that take this lock from changing names in the directory of
/// `path`. "If this file is mine, remove it" is two steps, and without the lock another process might put
/// its own file there in between. It leaves no file behind, and is released when the process exits.
class DirectoryLock {
public:
    /// Blocks at most `limit`. Check with operator bool: the directory may be locked by another program,
    /// or not be readable.
    DirectoryLock(const std::string& path, Duration limit) noexcept;
    ~DirectoryLock();

    DirectoryLock(const DirectoryLock&) = delete;
    DirectoryLock& operator=(const DirectoryLock&) = delete;

    explicit operator bool() const noexcept { return locked_; }

private:
    FileDescriptor directory_;
    bool locked_ = false;
};

}  // namespace lifecycle::detail
