#pragma once

#include <csignal>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "lifecycle/context.h"
#include "lifecycle/event_log.h"
#include "lifecycle/signals.h"

namespace lifecycle {

/// Settings of ShutdownSignals.
struct ShutdownSignalsOptions {
    /// The signals that ask for a shutdown. SIGHUP is not taken if it is ignored when the program starts (nohup).
    std::vector<int> shutdown{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    /// Signals that are taken as well: each is logged and does what on() says, by default nothing. This list
    /// takes precedence over `shutdown`: a daemon that reloads on SIGHUP puts it here.
    std::vector<int> others{};
    /// Whether a second SIGTERM or SIGHUP forces the exit. If not, it is logged, and only SIGINT and SIGQUIT, which
    /// people send, force it. For a supervisor whose one stop arrives twice: from a wrapper that forwards it, and by
    /// way of the process group.
    bool secondTermForces = true;
};

/// A request to shut down (SIGHUP, SIGINT, SIGQUIT or SIGTERM) as a context: Go's signal.NotifyContext, plus the
/// way out for people who cannot wait.
///
/// The first signal ends context(), with the signal's name as the cause. A second one, 50 ms or more later, exits
/// at once by `_exit(128 + number)`: without destructors, which might wait for the very thing that hangs, and not by
/// raising the signal, which does not kill process 1 of a container. Within 50 ms it counts as the same request: keys
/// bounce, and shells signal twice.
///
/// The 50 ms are measured when signals are taken; the kernel does not report when they were sent, and keeps a
/// standard signal only once, however often it is sent before it is taken. So while the process cannot run (SIGSTOP, a
/// frozen container, no CPU), two signals are one request even if they are far apart, and it takes another one to
/// force the exit.
///
/// When the terminal is closed the kernel sends SIGHUP. That is a request to shut down even if SIGHUP is among the
/// `others`, and never forces the exit: the shell sends a SIGHUP of its own first, so there are two.
///
/// SIGUSR1 and SIGUSR2 are ignored from here on unless they are taken, blocked or have a handler already: by default a
/// stray one would kill the process. Child processes inherit that, unless they are started by spawn().
///
/// Make it first thing in main, before any thread: see blockSignals. One thread takes the signals
/// and does the work that a signal handler must not do. Each is logged as a `signal` event.
class ShutdownSignals {
public:
    /// `events` must outlive this object. Throws std::system_error when there are no descriptors or threads.
    explicit ShutdownSignals(EventLog& events, ShutdownSignalsOptions options = {});

    /// Stops taking signals; they stay blocked.
    ~ShutdownSignals();

    /// Takes the signals that have arrived so far, on the calling thread, and then no more: context() tells whether
    /// one of them asked for a shutdown. For a process that is about to exit and has to pass such a signal on. To be
    /// called by one thread only.
    void stop();

    ShutdownSignals(const ShutdownSignals&) = delete;
    ShutdownSignals& operator=(const ShutdownSignals&) = delete;

    /// Done from the first signal on.
    const Context& context() const { return stopping_.context; }

    /// Calls `callback` when a second signal forces the exit, just before it: to log what is lost.
    /// It must be quick and must not wait for locks that the rest of the process may hold; what it
    /// refers to must live as long as this object.
    void onForced(std::function<void()> callback);

    using Action = std::function<void()>;

    /// What one of the `others` does.
    void on(int number, Action action);

    /// Something to do before or after every signal `number`, also those that ask for a shutdown, but not
    /// those after the first of them. All of these are called on the thread that takes the signals, must not throw, and
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
    bool takeNext();
    void take(const SignalInfo& signal);
    void react(const SignalInfo& signal, const Action& action);
    void takeAnother(const SignalInfo& signal);
    void force(const SignalInfo& signal);
    bool asksForShutdown(const SignalInfo& signal) const;
    Reaction reactionTo(int number);

    EventLog& events_;
    const ShutdownSignalsOptions options_;
    const CancelableContext stopping_;
    std::mutex mutex_;
    std::function<void()> onForced_;    // guarded by mutex_
    std::map<int, Reaction> reactions_;  // guarded by mutex_
    std::optional<TimePoint> first_;  // used by the thread alone
    int signals_;                     // signalfd
    int wake_;                        // eventfd: wakes the thread for stop()
    std::thread thread_;
};

}  // namespace lifecycle
