#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "core/quiet_thread.h"

namespace lifecycle::detail {

/// Threads that work on tasks, and the queue in front of them.
///
/// Threads are started as needed, up to a maximum, and end after ten seconds without work. Those in
/// `kept` are started by start(), so that tasks are worked on even when the system has no thread left. Unlike
/// Poco's pool it can be left while a thread never returns: see stop().
///
/// All functions may be called from every thread. Held by a shared_ptr only: a thread that is left
/// behind keeps the pool alive.
template <typename Task>
class WorkerPool : public std::enable_shared_from_this<WorkerPool<Task>> {
public:
    struct Limits {
        unsigned threads;
        unsigned queued;    // tasks that wait for a thread
        unsigned kept = 0;  // threads that do not end without work
    };

    /// `name` is that of the threads: at most 15 characters that live on. `work` is called on them,
    /// many at once, and must not throw.
    WorkerPool(const char* name, Limits limits, std::function<void(Task)> work)
        : name_(name), limits_(limits), work_(std::move(work)) {}

    /// Starts the threads that are kept. Throws std::system_error if there is none to be had; then, and if
    /// start() is not called, the pool can be used without them.
    void start();

    /// Hands a task to a thread, or puts it into the queue. False if the queue is full, if there is no
    /// thread and the system has none left, or if the pool is stopped. Throws std::bad_alloc.
    bool submit(Task task);

    /// Hands a task to a thread that has nothing to do; false if there is none.
    bool submitToIdle(const Task& task) noexcept;

    /// More than half of the threads there may be are taken: nobody should hold one without need.
    bool isCrowded() const { return crowded_.load(std::memory_order_relaxed); }

    /// Ends the threads and returns what was still queued. With `waitForAll` it waits for every
    /// thread; otherwise only for those that are idle, and leaves the others behind: they end when
    /// their work returns.
    std::deque<Task> stop(bool waitForAll);

private:
    using Threads = std::list<std::thread>;

    void push(Task task);
    bool startThread();
    void run(Threads::iterator self);
    bool takeOrEnd(std::unique_lock<std::mutex>& lock, Task& task);
    void noteCrowd();

    static constexpr std::chrono::seconds idleLimit{10};

    const char* const name_;
    const Limits limits_;
    const std::function<void(Task)> work_;

    std::mutex mutex_;  // guards what follows
    std::condition_variable wake_;
    std::condition_variable changed_;
    std::deque<Task> queue_;
    Threads running_;
    Threads ended_;  // to be joined
    std::size_t idle_ = 0;
    bool stopped_ = false;

    std::atomic<bool> crowded_ = false;  // written under mutex_
};

template <typename Task>
void WorkerPool<Task>::start() {
    const std::lock_guard lock(mutex_);
    while (running_.size() < limits_.kept) {
        if (!startThread()) {
            throw std::system_error(EAGAIN, std::generic_category(), "cannot start a thread");
        }
    }
}

template <typename Task>
bool WorkerPool<Task>::submit(Task task) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_) {
            return false;
        }
        const bool forIdle = queue_.size() < idle_;
        const bool forNew = !forIdle && running_.size() < limits_.threads && startThread();
        if (!forIdle && !forNew && (running_.empty() || queue_.size() - idle_ >= limits_.queued)) {
            return false;
        }
        push(std::move(task));
    }
    wake_.notify_one();  // without the lock: whoever wakes up wants it
    return true;
}

template <typename Task>
bool WorkerPool<Task>::submitToIdle(const Task& task) noexcept try {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || queue_.size() >= idle_) {
            return false;
        }
        push(task);
    }
    wake_.notify_one();
    return true;
} catch (const std::bad_alloc&) {
    return false;
}

template <typename Task>
void WorkerPool<Task>::push(Task task) {
    queue_.push_back(std::move(task));
    noteCrowd();
}

template <typename Task>
bool WorkerPool<Task>::startThread() {
    for (std::thread& thread : ended_) {
        thread.join();  // returns at once: it has left run()
    }
    ended_.clear();
    Threads started;
    try {
        const auto self = started.emplace(started.end());
        *self = startQuietThread(name_, [pool = this->shared_from_this(), self] { pool->run(self); });
    } catch (const std::exception&) {
        return false;  // The system has no thread or memory left; the running threads suffice.
    }
    running_.splice(running_.end(), started);
    ++idle_;  // It takes from the queue without being woken.
    return true;
}

template <typename Task>
void WorkerPool<Task>::run(typename Threads::iterator self) {
    std::unique_lock lock(mutex_);
    --idle_;
    Task task;
    while (takeOrEnd(lock, task)) {
        lock.unlock();
        work_(std::move(task));
        lock.lock();
    }
    ended_.splice(ended_.end(), running_, self);
    changed_.notify_all();
}

template <typename Task>
bool WorkerPool<Task>::takeOrEnd(std::unique_lock<std::mutex>& lock, Task& task) {
    if (queue_.empty() && !stopped_) {
        ++idle_;
        noteCrowd();
        const auto isWanted = [this] { return stopped_ || !queue_.empty(); };
        while (!wake_.wait_for(lock, idleLimit, isWanted) && running_.size() <= limits_.kept) {
        }
        --idle_;
    }
    if (queue_.empty()) {
        return false;
    }
    task = std::move(queue_.front());
    queue_.pop_front();
    noteCrowd();
    return true;
}

template <typename Task>
void WorkerPool<Task>::noteCrowd() {
    const std::size_t taken = running_.size() - idle_ + queue_.size();
    crowded_.store(taken > limits_.threads / 2, std::memory_order_relaxed);
}

template <typename Task>
std::deque<Task> WorkerPool<Task>::stop(bool waitForAll) {
    std::deque<Task> queued;
    std::unique_lock lock(mutex_);
    stopped_ = true;
    queued.swap(queue_);
    wake_.notify_all();
    changed_.wait(lock, [&] { return waitForAll ? running_.empty() : idle_ == 0; });
    for (std::thread& thread : running_) {
        if (thread.joinable()) {  // not left behind by an earlier stop
            thread.detach();
        }
    }
    Threads ended = std::move(ended_);
    lock.unlock();
    for (std::thread& thread : ended) {
        if (thread.joinable()) {
            thread.join();
        }
    }
    return queued;
}

}  // namespace lifecycle::detail
