#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "lifecycle/duration.h"
#include "lifecycle/file_descriptor.h"

namespace lifecycle {

/// One thread that waits for everything at once (descriptors, moments, words from other threads) and
/// acts on it, one thing after the other. What such a thread decides needs no locks, and no order of
/// events surprises it in the middle of a step.
///
/// post() and stop() may be called from every thread, all else on the thread of run(), or before it.
/// Actions must not throw and should be short: everything else waits meanwhile.
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

    /// Calls `action` once at that moment, unless it is canceled before.
    Timer at(TimePoint moment, Action action);
    Timer in(Duration delay, Action action) { return at(addSaturated(Clock::now(), delay), std::move(action)); }
    /// Does nothing if it has been called, or is 0.
    void cancel(Timer timer);

    /// Calls `action` on the loop's thread, soon.
    void post(Action action);

    /// Blocks until stop().
    void run();
    void stop();

private:
    /// Identifies what is watched. Unlike a descriptor, the number is never reused.
    using Watch = std::uint64_t;
    struct Alarm {
        Timer timer;
        Action action;
    };

    int millisecondsToNextAlarm() const;
    void soundAlarms();
    void takePosted();

    const FileDescriptor epoll_;
    const FileDescriptor wake_;  // eventfd
    std::unordered_map<int, Watch> watchOf_;
    std::unordered_map<Watch, Action> watched_;
    Watch lastWatch_ = 0;  // 0 is wake_
    std::multimap<TimePoint, Alarm> alarms_;
    Timer lastTimer_ = 0;

    std::mutex mutex_;
    std::vector<Action> posted_;  // guarded by mutex_
    bool stopped_ = false;        // guarded by mutex_
};

}  // namespace lifecycle
