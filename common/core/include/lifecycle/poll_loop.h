#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lifecycle/duration.h"
#include "lifecycle/file_descriptor.h"

namespace lifecycle {

/// An event loop: one thread waits for descriptors, timers and calls posted by other threads, and handles them one after
/// the other. State that only this thread uses needs no locks, and no other event interleaves with a step.
///
/// post(), notify() and stop() may be called from every thread, all else on the thread of run(), or before it.
/// Actions must not throw and should be short: everything else waits meanwhile. run() itself allocates nothing.
///
///     PollLoop loop;
///     loop.watch(channel, [&] { … });
///     signals.on(SIGHUP, [&] { loop.post([&] { restart(); }); });
///     loop.run();
class PollLoop {
public:
    using Action = std::function<void()>;
    using Timer = std::uint64_t;  ///< never 0

    /// Throws std::system_error without a descriptor.
    PollLoop();

    PollLoop(const PollLoop&) = delete;
    PollLoop& operator=(const PollLoop&) = delete;

    /// Calls `readable` whenever the descriptor has input or has ended, until forget(). Watching it again
    /// replaces the action. Throws std::system_error if the system cannot watch it.
    void watch(int descriptor, Action readable);
    /// To be called before the descriptor is closed. A pending event of it is dropped, even if the same number is
    /// watched again for something else.
    void forget(int descriptor);
    /// Makes no calls for a watched descriptor until resume(). Neither allocates, and neither fails.
    void pause(int descriptor);
    void resume(int descriptor);

    /// Calls `action` once at that moment, unless it is canceled before.
    Timer at(TimePoint moment, Action action);
    Timer in(Duration delay, Action action) { return at(addSaturated(Clock::now(), delay), std::move(action)); }
    /// Does nothing if it has been called, or is 0.
    void cancel(Timer timer);

    /// A timer that can be set again and again: setting and canceling it never allocate. It must not outlive its loop.
    class PreparedTimer;

    /// Calls `action` on the loop's thread, soon.
    void post(Action action);

    /// The action of notify().
    void onNotify(Action action) { onNotify_ = std::move(action); }
    /// Calls that action on the loop's thread, soon; once for several calls before that. Never allocates.
    void notify() noexcept;

    /// Blocks until stop().
    void run();
    void stop();

private:
    /// Identifies what is watched. Unlike a descriptor, the number is never reused.
    using Watch = std::uint64_t;
    struct TimerEntry {
        Timer timer = 0;                    ///< 0 if it is prepared
        Action action{};                    ///< of one that is not
        PreparedTimer* prepared = nullptr;  ///< gets its entry back
    };
    using Timers = std::multimap<TimePoint, TimerEntry>;

    int millisecondsToNextTimer() const;
    void call(Watch watch);
    void setWatching(int descriptor, bool watching);
    void fireTimers();
    void takePosted();

    const FileDescriptor epoll_;
    const FileDescriptor wake_;  // eventfd
    std::unordered_map<int, Watch> watchOf_;
    std::map<Watch, Action> watched_;
    Watch lastWatch_ = 0;  // 0 is wake_
    Watch called_ = 0;     // whose action runs: it is not in watched_ meanwhile
    Timers timers_;
    Timer lastTimer_ = 0;
    Action onNotify_;
    std::atomic<bool> notified_ = false;

    std::mutex mutex_;
    std::vector<Action> posted_;  // guarded by mutex_
    bool stopped_ = false;        // guarded by mutex_
};

class PollLoop::PreparedTimer {
public:
    /// `action` is called on the loop's thread. Throws std::bad_alloc.
    PreparedTimer(PollLoop& loop, Action action);
    ~PreparedTimer() { cancel(); }

    PreparedTimer(const PreparedTimer&) = delete;
    PreparedTimer& operator=(const PreparedTimer&) = delete;

    /// Calls the action once at that moment; replaces the moment set before.
    void at(TimePoint moment) noexcept;
    void in(Duration delay) noexcept { at(addSaturated(Clock::now(), delay)); }
    void cancel() noexcept;

    bool isSet() const { return entry_.empty(); }

private:
    friend class PollLoop;

    PollLoop& loop_;
    const Action action_;
    Timers::node_type entry_;   // while it is not set
    Timers::iterator place_{};  // while it is
};

}  // namespace lifecycle
