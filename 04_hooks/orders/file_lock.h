#pragma once

#include <string>

namespace stage {

/// Locks out other processes that do the same with a file, while it lives. SQLite and readers of the
/// file are not concerned: they use locks of another kind. Source: flock(2).
///
/// It must live longer than this process uses the file with SQLite: closing any descriptor of a
/// file drops SQLite's own locks on it. (https://sqlite.org/howtocorrupt.html, section 2.2)
class FileLock {
public:
    /// Makes the file if it does not exist. Throws std::runtime_error if another process has it, it is
    /// not a regular file, or it cannot be opened. Does not block.
    explicit FileLock(const std::string& path);
    ~FileLock();

    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

    /// The descriptor of the locked file; valid as long as this object exists.
    int descriptor() const { return descriptor_; }

private:
    const int descriptor_;
};

}  // namespace stage
