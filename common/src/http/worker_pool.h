#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "http/connection.h"

namespace lifecycle::http {

/// The threads that work on requests, and the queue in front of them.
///
/// Threads are started as needed, up to a maximum, and end after ten seconds without work. Unlike
/// Poco's pool it can be left while a thread never returns: see stop().
///
/// All functions may be called from every thread. Held by a shared_ptr only: a thread that is left
/// behind keeps the pool alive.
class WorkerPool : public std::enable_shared_from_this<WorkerPool> {
public:
    /// `work` is called on the pool's threads, many at once, and must not throw.
    WorkerPool(unsigned maxThreads, unsigned maxQueued, std::function<void(ConnectionPtr)> work);

    /// Hands a connection to a thread, or puts it into the queue. False if the queue is full or the
    /// pool is stopped.
    bool submit(ConnectionPtr connection);

    /// Hands a connection to a thread that has nothing to do; false if there is none.
    bool submitToIdle(const ConnectionPtr& connection);

    /// More than half of the threads there may be are taken: nobody should hold one without need.
    bool isCrowded() const { return crowded_.load(std::memory_order_relaxed); }

    /// Ends the threads and returns what was still queued. With `waitForAll` it waits for every
    /// thread; otherwise only for those that are idle, and leaves the others behind: they end when
    /// their work returns.
    std::vector<ConnectionPtr> stop(bool waitForAll);

private:
    using Threads = std::list<std::thread>;

    void push(ConnectionPtr connection);
    bool startThread();
    void run(Threads::iterator self);
    bool takeOrEnd(std::unique_lock<std::mutex>& lock, ConnectionPtr& connection);
    void noteCrowd();

    const unsigned maxThreads_;
    const unsigned maxQueued_;
    const std::function<void(ConnectionPtr)> work_;

    std::mutex mutex_;  // guards what follows
    std::condition_variable wake_;
    std::condition_variable changed_;
    std::deque<ConnectionPtr> queue_;
    Threads running_;
    Threads ended_;  // to be joined
    std::size_t idle_ = 0;
    bool stopped_ = false;

    std::atomic<bool> crowded_ = false;  // written under mutex_
};

}  // namespace lifecycle::http
