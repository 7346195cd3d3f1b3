#pragma once

#include <chrono>
#include <mutex>

#include "lifecycle/duration.h"

namespace lifecycle {

/// `lock.try_lock_until(until)` by the monotonic clock. Before GCC 13 ThreadSanitizer does not know that function, and
/// takes what the lock guards for unguarded: such a build waits by the wall clock.
inline bool tryLockUntil(std::unique_lock<std::timed_mutex>& lock, TimePoint until) {
#if defined(__SANITIZE_THREAD__) && __GNUC__ < 13
    return lock.try_lock() || lock.try_lock_until(std::chrono::system_clock::now() + (until - Clock::now()));
#else
    return lock.try_lock() || lock.try_lock_until(until);
#endif
}

}  // namespace lifecycle
