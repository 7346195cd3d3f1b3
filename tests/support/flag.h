#pragma once

#include "deadline.h"

#include <condition_variable>
#include <mutex>

namespace lifecycle::test {

/// "It has happened", said once by one thread of a test and awaited by others, with a deadline.
class Flag {
public:
    void set() {
        const std::lock_guard lock(mutex_);
        set_ = true;
        changed_.notify_all();
    }

    bool isSet() const {
        const std::lock_guard lock(mutex_);
        return set_;
    }

    /// Blocks until it is set; false if that is not before the deadline.
    bool wait(Deadline deadline = std::chrono::seconds(20)) const {
        std::unique_lock lock(mutex_);
        return changed_.wait_until(lock, deadline.at(), [this] { return set_; });
    }

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool set_ = false;
};

} // namespace lifecycle::test
