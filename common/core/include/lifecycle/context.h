#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "lifecycle/duration.h"

namespace lifecycle {

/// Why a context is done.
enum class ContextError {
    none,              ///< it is not done
    canceled,          ///< somebody called its cancel function, or that of an ancestor
    deadlineExceeded,  ///< its deadline, or that of an ancestor, has passed
};

/// "canceled", "deadline exceeded", or "" for none.
std::string_view toString(ContextError error);

class CancelFunction;
struct CancelableContext;
class DoneCallback;

/// "How long may this take, and is it still wanted?", handed down a chain of calls: Go's
/// context.Context for C++.
///
/// A context is a handle: copying it is cheap and copies share one state. It ends once, by its
/// cancel function or its deadline. The end flows down to all contexts derived from it and never up;
/// the first reason wins and stays. A child's deadline is the earlier of its parent's and its own.
///
/// Every function may be called from every thread. Nothing polls: waiters sleep on a condition
/// variable, and one thread of the process watches all deadlines, however many contexts live.
///
///     auto [context, cancel] = withTimeout(Context::background(), 10s);
///     if (context.waitFor(5s)) { … the context ended first: context.err() tells how … }
///
/// Source of the rules: https://pkg.go.dev/context
class Context {
public:
    /// The root: never done, no deadline. Use it also for clean-up that begins when another context is done. (For
    /// that, Go has WithoutCancel, which keeps the context's values; here there are none.)
    static Context background();

    bool done() const noexcept;

    /// How the context ended: a fixed word for code.
    ContextError err() const noexcept;

    /// Why it ended: a text for people, "" while it has not. The reason given to the cancel function
    /// or for the deadline; without one the text of err().
    std::string cause() const;

    std::optional<TimePoint> deadline() const noexcept;

    /// Time left: Duration::max() without a deadline, never negative, zero once done.
    Duration remaining() const noexcept;

    /// Blocks until the context is done; forever on the background.
    void wait() const;

    /// Blocks until the context is done or `until` is reached; true if it is done.
    bool waitUntil(TimePoint until) const;

    /// Blocks until the context is done or `duration` is over; true if it is done.
    bool waitFor(Duration duration) const;

    /// For code made for the standard library: std::condition_variable_any, or a loop that asks
    /// stop_requested(). It is stopped right after the context is done.
    std::stop_token token() const noexcept;

    /// Calls `callback` when the context is done: on the thread that ends it, or here and now if it
    /// is done already. The callback must not throw and should be short: later ones wait for it.
    [[nodiscard]] DoneCallback onDone(std::function<void()> callback) const;

private:
    struct State;
    explicit Context(std::shared_ptr<State> state);

    friend class CancelFunction;
    friend CancelableContext withCancel(const Context& parent);
    friend CancelableContext withDeadline(const Context& parent, TimePoint deadline,
                                          std::string cause);

    std::shared_ptr<State> state_;  // null for the background
};

/// Ends a context and all that derive from it. Only the first call has an effect, and only if the
/// context is not done yet. Dropping the function does not cancel, and leaks nothing.
class CancelFunction {
public:
    void operator()(std::string cause = {}) const;

private:
    friend CancelableContext withCancel(const Context& parent);
    friend CancelableContext withDeadline(const Context& parent, TimePoint deadline,
                                          std::string cause);
    explicit CancelFunction(std::shared_ptr<Context::State> state);

    std::shared_ptr<Context::State> state_;
};

/// A context and the function that ends it; meant to be taken apart:
/// `auto [context, cancel] = withCancel(parent);`
struct CancelableContext {
    Context context;
    CancelFunction cancel;
};

/// A child of `parent` that can be ended on its own.
[[nodiscard]] CancelableContext withCancel(const Context& parent);

/// A child that also ends at `deadline`, with the cause `cause`. A parent that ends earlier wins.
[[nodiscard]] CancelableContext withDeadline(const Context& parent, TimePoint deadline,
                                             std::string cause = {});

/// A child that also ends in `timeout` from now.
[[nodiscard]] CancelableContext withTimeout(const Context& parent, Duration timeout,
                                            std::string cause = {});

/// Keeps a callback registered while it lives. Destroying it unregisters the callback, and waits for
/// a call that is under way on another thread; from inside the callback it does not wait.
class DoneCallback {
public:
    DoneCallback() = default;

private:
    friend class Context;
    using Registration = std::stop_callback<std::function<void()>>;
    explicit DoneCallback(std::unique_ptr<Registration> registration)
        : registration_(std::move(registration)) {}

    std::unique_ptr<Registration> registration_;
};

}  // namespace lifecycle
