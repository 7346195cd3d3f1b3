#pragma once

#include <string>

#include "lifecycle/duration.h"
#include "lifecycle/file_descriptor.h"

namespace lifecycle::detail {

/// "Is this file mine? Then remove it" is two steps, and another process may put its own file there in
/// between. Whoever holds this lock is alone, among the processes and threads that take it, in changing
/// names in the directory of `path`. It leaves no file behind, and ends with the process that holds it.
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
