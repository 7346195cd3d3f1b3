#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "lifecycle/context.h"
#include "lifecycle/duration.h"
#include "lifecycle/event_log.h"

namespace lifecycle {

/// One thing to do when a service ends.
struct Hook {
    std::string name;
    /// Hooks of one phase run side by side, phases one after the other, lowest first.
    int phase = 0;
    /// The most time it may take.
    Duration timeout = std::chrono::seconds(30);
    /// The work. It fails by throwing, and should return soon after its context is done. What it
    /// refers to must live until it returns, even if it overruns: capture by shared_ptr, or leave
    /// the process by _exit when the report says that a hook was abandoned.
    std::function<void(const Context&)> run;
};

enum class HookStatus {
    waiting,   ///< its phase has not begun
    running,
    ok,
    failed,    ///< it threw
    timedOut,  ///< it overran and was abandoned: its thread goes on, nobody waits for it
    skipped,   ///< the total deadline had passed before its phase began
};

/// "ok", "timed out" and so on.
std::string_view toString(HookStatus status);

/// What is or was with a hook.
struct HookReport {
    std::string name;
    int phase = 0;
    HookStatus status = HookStatus::waiting;
    Duration timeout{};  ///< its own until its phase begins, from then on what it was granted
    Duration took{};     ///< so far, if it runs
    std::string error;   ///< of a failed one

    bool over() const { return status != HookStatus::waiting && status != HookStatus::running; }
};

/// The hooks of a shutdown, in the order in which they were run.
struct HooksReport {
    std::vector<HookReport> hooks;
    Duration took{};

    bool allOk() const;
    /// A hook was left behind and may still be running.
    bool anyAbandoned() const;
};

/// What a service does when it ends: named steps in phases, each with a time limit, none able to
/// hold up or prevent another.
///
/// Every hook runs, whatever earlier ones did. One that throws is reported with its message; one
/// that overruns is timed out, even if it returns then, and abandoned if it does not. run() is given
/// a total deadline, which is shared out: a hook gets its own timeout, or, where the time does not
/// suffice for all, a share in proportion, so that a slow hook early on cannot use up the time of
/// later ones. What a phase does not use, later ones get.
///
/// Each hook has a thread to itself while it runs; where the system has none left, that of run(),
/// which cannot abandon it then. When run() returns, no thread is left but those of hooks that timed
/// out. All functions may be called from every thread.
///
///     Hooks hooks(&events);
///     hooks.add({.name = "gate", .phase = 1, .timeout = 1s, .run = [&](const Context&) { gate.close(); }});
///     hooks.add({.name = "database", .phase = 2, .timeout = 30s, .run = [&](const Context& context) { … }});
///     …
///     const HooksReport report = hooks.run(withTimeout(Context::background(), 60s).context);
class Hooks {
public:
    /// Logs `hook.begin`, `hook.end`, `hook.failed` and `hook.timeout`; `events` may be null and
    /// must otherwise outlive abandoned hooks.
    explicit Hooks(EventLog* events = nullptr);

    Hooks(const Hooks&) = delete;
    Hooks& operator=(const Hooks&) = delete;

    /// Throws std::logic_error once run() has been called: the hook might never run.
    void add(Hook hook);

    /// Runs all hooks. Blocks until they are over, at most until `total` is done. To be called once;
    /// a second call throws std::logic_error.
    HooksReport run(const Context& total);

    /// A look at all hooks, in the order of their phases.
    std::vector<HookReport> progress() const;

    /// The time that all phases take if each uses up its timeouts.
    Duration longest() const;

private:
    struct Step;
    class Run;
    using Steps = std::vector<std::shared_ptr<Step>>;

    Steps ordered() const;

    EventLog* const events_;
    mutable std::mutex mutex_;
    Steps steps_;           // guarded by mutex_
    bool started_ = false;  // guarded by mutex_
};

}  // namespace lifecycle
