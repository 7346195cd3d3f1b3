#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "lifecycle/context.h"
#include "lifecycle/event_log.h"
#include "lifecycle/signals.h"

namespace lifecycle {

/// "Please end", said by SIGINT or SIGTERM, as a context: Go's signal.NotifyContext, plus the way
/// out for people who cannot wait.
///
/// The first signal ends context(), with the signal's name as the cause. A second one, 50 ms or
/// more later, ends the process at once by `_exit(128 + number)`: no destructors, which might wait
/// for the very thing that hangs, and no death by signal, which PID 1 of a container cannot die.
/// Within 50 ms it is taken for the same request: keys bounce, and shells signal twice.
///
/// Make it first thing in main, before any thread: see blockSignals. One thread takes the signals
/// and does the work that a signal handler must not do. Each is logged as a `signal` event.
class ShutdownSignals {
public:
    /// `events` must outlive this object. `others` are signals that are taken as well: each is logged
    /// and does what on() says, by default nothing.
    explicit ShutdownSignals(EventLog& events, std::span<const int> others = {});

    /// Stops taking signals; they stay blocked.
    ~ShutdownSignals();

    ShutdownSignals(const ShutdownSignals&) = delete;
    ShutdownSignals& operator=(const ShutdownSignals&) = delete;

    /// Done from the first signal on.
    const Context& context() const { return stopping_.context; }

    /// Calls `lastWords` when a second signal forces the end, just before it: to log what is lost.
    /// It must be quick and must not wait for locks that the rest of the process may hold; what it
    /// refers to must live as long as this object.
    void onForced(std::function<void()> lastWords);

    using Action = std::function<void()>;

    /// What one of the `others` does.
    void on(int number, Action action);

    /// Something to do before or after every signal `number`, INT and TERM included, except for one that
    /// forces the end. All of these are called on the thread that takes the signals, must not throw, and
    /// must be quick: while they run, no second signal is taken. What they refer to must live as long as
    /// this object.
    void before(int number, Action hook);
    void after(int number, Action hook);

private:
    /// What is to be done about one signal, in this order.
    struct Reaction {
        std::vector<Action> before;
        Action action;
        std::vector<Action> after;
    };

    void run();
    void take(const SignalInfo& signal);
    void react(const SignalInfo& signal, const Action& action);
    void force(const SignalInfo& signal);
    Reaction reactionTo(int number);

    EventLog& events_;
    const CancelableContext stopping_;
    std::mutex mutex_;
    std::function<void()> lastWords_;    // guarded by mutex_
    std::map<int, Reaction> reactions_;  // guarded by mutex_
    std::optional<TimePoint> first_;  // used by the thread alone
    int signals_;                     // signalfd
    int wake_;                        // eventfd: the destructor's word to the thread
    std::thread thread_;
};

}  // namespace lifecycle
