#include "core/timer_queue.h"

#include "core/quiet_thread.h"

namespace lifecycle::detail {

TimerQueue& TimerQueue::instance() {
    static TimerQueue& queue = *new TimerQueue;
    return queue;
}

void TimerQueue::start() {
    const std::lock_guard lock(mutex_);
    startLocked();
}

void TimerQueue::startLocked() {
    if (!started_) {
        startQuietThread("timers", [this] { run(); }).detach();
        started_ = true;
    }
}

TimerQueue::Handle TimerQueue::schedule(TimePoint time, std::function<void()> callback) {
    const std::lock_guard lock(mutex_);
    startLocked();
    const Handle handle{time, next_++};
    timers_.emplace(handle, std::move(callback));
    if (time < wakesAt_) {
        wakesAt_ = time;
        earlier_.notify_one();
    }
    return handle;
}

void TimerQueue::cancel(const Handle& handle) {
    std::function<void()> forgotten;  // destroyed after the lock is released
    const std::lock_guard lock(mutex_);
    if (const auto timer = timers_.find(handle); timer != timers_.end()) {
        forgotten = std::move(timer->second);
        timers_.erase(timer);
    }
}

void TimerQueue::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (timers_.empty()) {
            wakesAt_ = TimePoint::max();
            earlier_.wait(lock);
            continue;
        }
        const TimePoint next = timers_.begin()->first.first;
        if (Clock::now() < next) {
            wakesAt_ = next;
            earlier_.wait_until(lock, next);
            continue;
        }
        auto timer = timers_.extract(timers_.begin());
        lock.unlock();
        timer.mapped()();
        timer = {};  // what the callback holds is released without the lock
        lock.lock();
    }
}

}  // namespace lifecycle::detail
