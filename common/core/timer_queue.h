#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "lifecycle/duration.h"

namespace lifecycle::detail {

/// Calls functions at their time, all on one thread, which is started with the first of them.
///
/// It lives as long as the process and is never destroyed: static objects may have timers too.
/// All functions may be called from every thread, the timers' functions included.
class TimerQueue {
public:
    /// The time, and a number that keeps equal times apart.
    using Handle = std::pair<TimePoint, std::uint64_t>;

    static TimerQueue& instance();

    /// Starts the thread now, while the system still has one. Throws std::system_error. For programs that
    /// need their first timer when they end.
    void start();

    /// Calls `callback` at `time`, or soon if that is past. The callback must be short, must not
    /// throw, and must not rely on cancel(): that does not wait for a call under way.
    Handle schedule(TimePoint time, std::function<void()> callback);

    /// Forgets a timer; without effect if its callback has been called.
    void cancel(const Handle& handle);

private:
    TimerQueue() = default;
    void run();
    void startLocked();

    std::mutex mutex_;
    std::condition_variable earlier_;
    std::map<Handle, std::function<void()>> timers_;
    std::uint64_t next_ = 0;
    /// When the thread looks next, as a timer that is cancelled does not wake it. A timer behind that
    /// need not wake it either: most are cancelled before their time.
    TimePoint wakesAt_ = TimePoint::max();
    bool started_ = false;
};

}  // namespace lifecycle::detail
