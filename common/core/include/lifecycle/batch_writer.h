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
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "lifecycle/context.h"
#include "lifecycle/duration.h"
#include "lifecycle/try_lock_until.h"

namespace lifecycle {

namespace detail {

/// Starts a thread that takes no signal. Throws std::system_error.
std::thread startBatchWriterThread(std::function<void()> run);

}  // namespace detail

/// A write-behind queue: items are accepted at once and written later, many in one batch, by a thread of its own. What
/// was accepted must survive a shutdown: flush() writes the rest under a deadline, and counts what is left.
///
///     BatchWriter<Order> writer({.write = [&](const std::vector<Order>& batch) { insert(batch); }});
///     respond(writer.tryPush(order).refusal == BatchWriter<Order>::Refusal::none ? 202 : 503);
///     …
///     if (!writer.flush(context)) { report(writer.counters().waiting, writer.error()); }
///
/// Items are written in the order in which they were accepted. A batch whose write throws is kept and written again,
/// until that succeeds; meanwhile no item is accepted. A crash or SIGKILL loses counters().waiting items.
///
/// All functions may be called from every thread. The callbacks are called by the writer's thread, one at a time,
/// without a lock.
template <typename Item>
class BatchWriter {
    static_assert(std::is_nothrow_move_constructible_v<Item>, "an accepted item must not get lost on its way to a batch");

public:
    struct Options {
        /// Writes a batch, which is never empty. Throws if not all of it has been written.
        std::function<void(const std::vector<Item>&)> write;

        /// Called when there is nothing to write: every idleInterval, after wake(), and to find out whether error() is
        /// over. Throws if a write would fail.
        std::function<void()> check = [] {};

        /// Called after the last batch, and again if it throws: to close a file, for instance.
        std::function<void()> finish = [] {};

        /// error() has changed. What this throws is ignored.
        std::function<void(const std::string& error)> errorChanged = [](const std::string&) {};

        /// If not empty, nothing is accepted until `check` has succeeded.
        std::string initialError = {};

        std::size_t capacity = 10'000;  ///< accepted items that are not written
        std::size_t maxBatch = 1'000;   ///< at least 1
        Duration retryInterval = std::chrono::milliseconds(100);
        Duration idleInterval = std::chrono::seconds(1);
    };

    enum class Refusal { none, full, failing, closed };

    struct Receipt {
        std::uint64_t number = 0;          ///< how many items were accepted before this one
        Refusal refusal = Refusal::none;  ///< other than none: the item was not accepted
    };

    struct Counters {
        std::uint64_t accepted = 0;
        std::uint64_t waiting = 0;  ///< accepted, not written
    };

    /// Starts the thread. Throws std::system_error if there can be none.
    explicit BatchWriter(Options options)
        : options_(std::move(options)),
          error_(options_.initialError),
          thread_(detail::startBatchWriterThread([this] { run(); })) {}

    BatchWriter(const BatchWriter&) = delete;
    BatchWriter& operator=(const BatchWriter&) = delete;

    /// See stop().
    ~BatchWriter() { stop(); }

    /// Accepts the item unless there is a reason not to. Never waits for a callback. Throws std::bad_alloc, and has not
    /// accepted the item then.
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

    /// Has `check` called soon.
    void wake() {
        const std::lock_guard lock(mutex_);
        woken_ = true;
        changed_.notify_all();
    }

    /// Accepts nothing more, writes the rest and finishes. Blocks until that is done, or `context` is. False if not all
    /// is written and finished; the thread keeps trying, and flush() may be called again.
    bool flush(const Context& context) {
        std::unique_lock lock(mutex_);
        closed_ = true;
        changed_.notify_all();
        changed_.wait(lock, context.token(), [this] { return ended_; });
        if (ended_) {
            lock.unlock();
            join();  // It has ended, too, when this returns: the process may be left by _exit next.
            lock.lock();
        }
        return finished_;
    }

    /// The same without a deadline, but gives up at the first error. Blocks until the thread has ended.
    void stop() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = stopped_ = true;
            changed_.notify_all();
        }
        join();
    }

    /// For the last count before _exit: from here on nothing is accepted, and no batch begins. A write that has begun may
    /// still end. Blocks until `until`; false if that did not suffice. Afterwards all functions but counters() block
    /// forever, the destructor included.
    bool freeze(TimePoint until) {
        std::unique_lock lock(mutex_, std::defer_lock);
        const bool frozen = tryLockUntil(lock, until);
        lock.release();
        return frozen;
    }

    /// What was thrown last, if nothing has succeeded since; otherwise empty.
    std::string error() const {
        const std::lock_guard lock(mutex_);
        return error_;
    }

    /// Never blocks.
    Counters counters() const {
        const std::uint64_t written = written_;  // first: it never exceeds the other
        const std::uint64_t accepted = accepted_;
        return {accepted, accepted - written};
    }

private:
    enum class Step { write, check, finish };

    void run() {
        if (!error_.empty()) {
            notifyOfError();
        }
        bool finished = false;
        for (bool wanted = true; wanted && !finished;) {
            try {
                finished = takeStep();
            } catch (const std::exception& exception) {
                wanted = waitForRetry(exception.what());
            } catch (...) {
                wanted = waitForRetry({});
            }
        }
        const std::lock_guard lock(mutex_);
        ended_ = true;
        finished_ = finished;
        changed_.notify_all();
    }

    /// True if it was the last.
    bool takeStep() {
        const Step step = nextStep();
        switch (step) {
            case Step::write:
                options_.write(batch_);
                written_ += batch_.size();
                batch_.clear();
                break;
            case Step::check:
                options_.check();
                break;
            case Step::finish:
                options_.finish();
                break;
        }
        setError({});
        return step == Step::finish;
    }

    /// Waits for something to do, and fills the batch.
    Step nextStep() {
        std::unique_lock lock(mutex_);
        if (!batch_.empty()) {
            return Step::write;  // the batch that has failed
        }
        changed_.wait_until(lock, addSaturated(Clock::now(), options_.idleInterval),
                            [this] { return !queue_.empty() || closed_ || woken_ || !error_.empty(); });
        woken_ = false;
        const std::size_t count = std::min(queue_.size(), std::max<std::size_t>(options_.maxBatch, 1));
        batch_.reserve(count);
        while (batch_.size() < count) {
            batch_.push_back(std::move(queue_.front()));
            queue_.pop_front();
        }
        return !batch_.empty() ? Step::write : closed_ ? Step::finish : Step::check;
    }

    /// False if nobody waits for it any more.
    bool waitForRetry(std::string_view error) {
        setError(error.empty() ? "unknown error" : error);
        std::unique_lock lock(mutex_);
        return !changed_.wait_until(lock, addSaturated(Clock::now(), options_.retryInterval), [this] { return stopped_; });
    }

    void join() {
        std::call_once(joined_, [this] { thread_.join(); });
    }

    void setError(std::string_view error) {
        {
            const std::lock_guard lock(mutex_);
            if (error_ == error) {
                return;
            }
            try {
                error_ = error;
            } catch (const std::bad_alloc&) {
                error_ = "out of memory";  // needs none: it is short
            }
        }
        notifyOfError();
    }

    void notifyOfError() {
        try {
            options_.errorChanged(error_);
        } catch (...) {  // Writing goes on.
        }
    }

    const Options options_;

    mutable std::timed_mutex mutex_;  // guards what follows, up to the counters
    std::condition_variable_any changed_;
    std::deque<Item> queue_;
    bool closed_ = false;
    bool woken_ = false;
    bool stopped_ = false;
    bool ended_ = false;
    bool finished_ = false;
    std::string error_;  // changed by the thread alone

    std::atomic<std::uint64_t> accepted_ = 0;  // changed under mutex_
    std::atomic<std::uint64_t> written_ = 0;

    std::vector<Item> batch_;  // used by the thread alone
    std::once_flag joined_;
    std::thread thread_;  // the last one: uses all of the above
};

}  // namespace lifecycle
