#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "lifecycle/context.h"
#include "lifecycle/duration.h"
#include "lifecycle/try_lock_until.h"

namespace lifecycle {

/// A write-behind queue: items are accepted at once and written later, many in one batch, by a thread of its own. What
/// has been accepted must survive a shutdown, so flush() writes the rest under a deadline, and what is left is counted.
///
///     BatchWriter<Order> writer({.write = [&](const std::vector<Order>& batch) { insert(batch); }});
///     writer.start();
///     respond(writer.tryPush(order).refusal == Refusal::none ? 202 : 503);
///     …
///     if (!writer.flush(context)) { report(writer.counters().waiting, writer.error()); }
///
/// A batch whose write throws is written again, until that succeeds; meanwhile nothing more is accepted. Items are
/// written in the order in which they were accepted. All functions may be called from every thread; the callbacks are
/// called on the writer's own, one at a time, without a lock.
template <typename Item>
class BatchWriter {
public:
    struct Options {
        /// Writes the batch, all of it or nothing. May be called with an empty one, to see whether writing works again.
        std::function<void(const std::vector<Item>&)> write;
        /// After the last batch: for instance, closes the file. Called again if it throws.
        std::function<void()> finish = [] {};
        /// One of the two has thrown. Returns what error() is from now on, not empty.
        std::function<std::string(const std::exception&)> describe = [](const std::exception& error) {
            return std::string(error.what());
        };
        /// error() is another one than before; empty: writing works again.
        std::function<void(const std::string& error)> errorChanged = [](const std::string&) {};

        std::size_t capacity = 10'000;  ///< accepted and not written
        std::size_t maxBatch = 1'000;
        Duration retryInterval = std::chrono::milliseconds(100);
        /// With nothing to do, `write` is called with an empty batch that often.
        Duration idleInterval = std::chrono::seconds(1);
    };

    enum class Refusal { none, full, failing, closed };

    struct Receipt {
        std::uint64_t number = 0;  ///< of the items accepted before
        Refusal refusal = Refusal::none;
    };

    struct Counters {
        std::uint64_t accepted = 0;
        std::uint64_t waiting = 0;  ///< of these, not written
    };

    explicit BatchWriter(Options options) : options_(std::move(options)) {}

    BatchWriter(const BatchWriter&) = delete;
    BatchWriter& operator=(const BatchWriter&) = delete;

    /// As stop().
    ~BatchWriter() { stop(); }

    /// Starts the thread; with an `error`, as if a write had failed with it. Throws std::system_error.
    void start(const std::string& error = {}) {
        if (!error.empty()) {
            setError(error);
        }
        thread_ = std::thread([this] { run(); });
    }

    /// Never waits for a write.
    Receipt tryPush(Item item) {
        const std::lock_guard lock(mutex_);
        if (closed_ || !error_.empty()) {
            return {.refusal = closed_ ? Refusal::closed : Refusal::failing};
        }
        if (accepted_ - written_ >= options_.capacity) {
            return {.refusal = Refusal::full};
        }
        queue_.push_back(std::move(item));
        changed_.notify_all();
        return {.number = accepted_.fetch_add(1)};
    }

    /// Writes soon, if only an empty batch.
    void wake() {
        const std::lock_guard lock(mutex_);
        awake_ = true;
        changed_.notify_all();
    }

    /// Accepts no more, writes what is left and finishes. Blocks until that is done (true) or the context is (false):
    /// then the thread goes on trying, and flush() may be called again.
    bool flush(const Context& context) {
        std::unique_lock lock(mutex_);
        closed_ = true;
        changed_.notify_all();
        if (!changed_.wait(lock, context.token(), [this] { return finished_; })) {
            return false;
        }
        lock.unlock();
        join();
        return true;
    }

    /// Accepts no more, writes what is left and finishes, but does not wait for what fails. Blocks until the thread ends.
    void stop() {
        stopped_.cancel("the writer is stopped");
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
            changed_.notify_all();
        }
        join();
    }

    /// From now on nothing is accepted, and tryPush blocks forever: for the last count before _exit. False if that is
    /// not reached by `until`. Nothing but counters() can be called afterwards.
    bool freeze(TimePoint until) {
        std::unique_lock lock(mutex_, std::defer_lock);
        const bool frozen = tryLockUntil(lock, until);
        lock.release();
        return frozen;
    }

    /// Why the last write failed; empty if it did not.
    std::string error() const {
        const std::lock_guard lock(mutex_);
        return error_;
    }

    Counters counters() const {
        const std::uint64_t written = written_;  // first: it never overtakes
        const std::uint64_t accepted = accepted_;
        return {accepted, accepted - written};
    }

private:
    void run() {
        for (;;) {
            const bool more = take();
            try {
                if (!more) {
                    options_.finish();
                    break;
                }
                options_.write(batch_);
                written_ += batch_.size();
                batch_.clear();
                setError({});
            } catch (const std::exception& error) {
                setError(options_.describe(error));
                if (stopped_.context.waitFor(options_.retryInterval)) {
                    return;
                }
            }
        }
        const std::lock_guard lock(mutex_);
        finished_ = true;
        changed_.notify_all();
    }

    /// Waits for items. False if there are and will be none.
    bool take() {
        std::unique_lock lock(mutex_);
        if (!batch_.empty()) {
            return true;  // the one that failed
        }
        changed_.wait_for(lock, options_.idleInterval,
                          [this] { return !queue_.empty() || closed_ || awake_ || !error_.empty(); });
        awake_ = false;
        const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), options_.maxBatch));
        std::move(queue_.begin(), end, std::back_inserter(batch_));
        queue_.erase(queue_.begin(), end);
        return !batch_.empty() || !closed_;
    }

    void setError(const std::string& error) {
        {
            const std::lock_guard lock(mutex_);
            if (std::exchange(error_, error) == error) {
                return;
            }
        }
        options_.errorChanged(error);
    }

    void join() {
        std::call_once(joined_, [this] {
            if (thread_.joinable()) {
                thread_.join();
            }
        });
    }

    const Options options_;
    const CancelableContext stopped_ = withCancel(Context::background());

    mutable std::timed_mutex mutex_;  // guards what follows, up to the atomics
    std::condition_variable_any changed_;
    std::deque<Item> queue_;
    bool closed_ = false;
    bool awake_ = false;
    bool finished_ = false;
    std::string error_;

    std::atomic<std::uint64_t> accepted_ = 0;  // changed under mutex_
    std::atomic<std::uint64_t> written_ = 0;

    std::vector<Item> batch_;  // of the thread
    std::thread thread_;
    std::once_flag joined_;
};

}  // namespace lifecycle
