#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "lifecycle/duration.h"
#include "lifecycle/file_descriptor.h"

namespace lifecycle::detail {

/// Writes lines on a thread of its own, one at a time, so that a reader that has stopped reading blocks only that
/// thread. Used by one thread at a time.
class WriteThread {
public:
    /// Writes to a duplicate of `descriptor`: the thread may outlive the original, whose number may be reused.
    /// Throws std::system_error if no thread or descriptor is available.
    static std::shared_ptr<WriteThread> start(int descriptor);

    explicit WriteThread(int descriptor);

    /// Blocks until no line is being written; false if one still is at `until`.
    bool waitUntilFree(TimePoint until);

    /// To be called when no line is being written. Blocks until the line is written, or until `until`; in that
    /// case it is written as soon as somebody reads. Returns how much of it was written or will be.
    std::size_t write(std::string_view line, TimePoint until);

    /// Ends the thread, or leaves it behind if it is blocked. Does not block.
    void stop();

private:
    void run();

    const FileDescriptor descriptor_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string line_;  // the one to be written, or empty; while it is not, only the thread uses it
    std::size_t written_ = 0;  // guarded by mutex_
    bool stopped_ = false;     // guarded by mutex_
};

}  // namespace lifecycle::detail
