#include "http/worker_pool.h"

#include <iterator>
#include <system_error>
#include <utility>

#include "quiet_thread.h"

namespace lifecycle::http {
namespace {

constexpr Duration idleLimit = std::chrono::seconds(10);

}  // namespace

WorkerPool::WorkerPool(unsigned maxThreads, unsigned maxQueued,
                       std::function<void(ConnectionPtr)> work)
    : maxThreads_(maxThreads), maxQueued_(maxQueued), work_(std::move(work)) {}

bool WorkerPool::submit(ConnectionPtr connection) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_) {
            return false;
        }
        const bool forIdle = queue_.size() < idle_;
        const bool forNew = !forIdle && running_.size() < maxThreads_ && startThread();
        if (!forIdle && !forNew && (running_.empty() || queue_.size() - idle_ >= maxQueued_)) {
            return false;
        }
        push(std::move(connection));
    }
    wake_.notify_one();  // without the lock: whoever wakes up wants it
    return true;
}

bool WorkerPool::submitToIdle(const ConnectionPtr& connection) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || queue_.size() >= idle_) {
            return false;
        }
        push(connection);
    }
    wake_.notify_one();
    return true;
}

void WorkerPool::push(ConnectionPtr connection) {
    queue_.push_back(std::move(connection));
    noteCrowd();
}

bool WorkerPool::startThread() {
    for (std::thread& thread : ended_) {
        thread.join();  // returns at once: it has left run()
    }
    ended_.clear();
    running_.emplace_back();
    const auto self = std::prev(running_.end());
    try {
        *self = detail::startQuietThread("http-worker",
                                         [pool = shared_from_this(), self] { pool->run(self); });
        ++idle_;  // It will take from the queue without being woken; until then nothing waits for it.
        return true;
    } catch (const std::system_error&) {
        running_.pop_back();  // The system has no thread left; those that run will do.
        return false;
    }
}

void WorkerPool::run(Threads::iterator self) {
    std::unique_lock lock(mutex_);
    --idle_;
    ConnectionPtr connection;
    while (takeOrEnd(lock, connection)) {
        lock.unlock();
        work_(std::move(connection));
        lock.lock();
    }
    ended_.splice(ended_.end(), running_, self);
    changed_.notify_all();
}

bool WorkerPool::takeOrEnd(std::unique_lock<std::mutex>& lock, ConnectionPtr& connection) {
    if (queue_.empty() && !stopped_) {
        ++idle_;
        noteCrowd();
        wake_.wait_for(lock, idleLimit, [this] { return stopped_ || !queue_.empty(); });
        --idle_;
    }
    if (queue_.empty()) {
        return false;
    }
    connection = std::move(queue_.front());
    queue_.pop_front();
    noteCrowd();
    return true;
}

void WorkerPool::noteCrowd() {
    const std::size_t taken = running_.size() - idle_ + queue_.size();
    crowded_.store(taken > maxThreads_ / 2, std::memory_order_relaxed);
}

std::vector<ConnectionPtr> WorkerPool::stop(bool waitForAll) {
    std::unique_lock lock(mutex_);
    stopped_ = true;
    std::vector<ConnectionPtr> queued(std::make_move_iterator(queue_.begin()),
                                      std::make_move_iterator(queue_.end()));
    queue_.clear();
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

}  // namespace lifecycle::http
