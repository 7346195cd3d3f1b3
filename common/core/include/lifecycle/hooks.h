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

namespace detail {
class HookThreads;
}

/// One step of a service's shutdown.
struct Hook {
    std::string name;
    /// Hooks of one phase run concurrently, phases one after the other, lowest first.
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
    skipped,   ///< not called: the total deadline had passed before its phase began
};

/// "ok", "timed out" and so on.
std::string_view toString(HookStatus status);

/// Status and timing of one hook.
struct HookReport {
    std::string name;
    int phase = 0;
    HookStatus status = HookStatus::waiting;
    Duration timeout{};  ///< its own until its phase begins, from then on what it was granted
    Duration took{};     ///< so far, if it runs
    std::string error;   ///< of a failed one

    bool over() const { return status != HookStatus::waiting && status != HookStatus::running; }
};

/// How much time a hook has if all hooks before it use up theirs.
struct HookPlan {
    std::string name;
    int phase = 0;
    Duration timeout{};  ///< its own
    Duration atLeast{};  ///< what it gets in any case: less than `timeout` if the total is too short for all hooks

    bool isShort() const { return atLeast < timeout; }
};

/// The hooks of a shutdown, in the order in which they were run.
struct HooksReport {
    std::vector<HookReport> hooks;
    Duration took{};

    bool allOk() const;
    /// A hook was left behind and may still be running.
    bool anyAbandoned() const;
};

struct ServerToShutDown;

/// What a service does when it shuts down: named steps in phases, each with a time limit, none able to
/// hold up or prevent another.
///
/// Every hook is called, whatever earlier ones did, until the total deadline of run() passes; the hooks
/// that are left then are skipped. If a hook throws, its message is reported. A hook that overruns is
/// reported as timed out, even if it returns later, and abandoned if it does not.
///
/// Each hook has its own timeout. If the total is too short for all timeouts, earlier hooks still have
/// theirs, and later ones get what is left of the total. But half of the total is reserved in equal shares,
/// one for each phase, and no earlier hook can use up the share of a later phase. What a phase does not use
/// is left to later ones. plan() reports at the start whether a hook may get less than its own timeout.
///
/// add() starts a thread for each hook, so that a shutdown does not depend on a thread that the system may
/// no longer have by then. When run() returns, all threads that ran a hook have ended, except those of
/// hooks that timed out. All functions may be called from every thread.
///
///     Hooks hooks(&events);
///     hooks.add({.name = "gate", .phase = 1, .timeout = 1s, .run = [&](const Context&) { gate.close(); }});
///     hooks.add({.name = "database", .phase = 2, .timeout = 30s, .run = [&](const Context& context) { … }});
///     …
///     const HooksReport report = hooks.run(withTimeout(Context::background(), 60s).context);
class Hooks {
public:
    /// Logs `hook.short`, `hook.begin`, `hook.end`, `hook.failed`, `hook.timeout` and `hook.skipped`;
    /// `events` may be null and must otherwise outlive abandoned hooks. Throws std::system_error if the
    /// system has no thread for timers.
    explicit Hooks(EventLog* events = nullptr);

    /// Ends the threads of hooks that were not run.
    ~Hooks();

    Hooks(const Hooks&) = delete;
    Hooks& operator=(const Hooks&) = delete;

    /// Throws std::logic_error once run() has been called: the hook might never run. Throws
    /// std::system_error if the system has no thread for it; the hook is not added then.
    void add(Hook hook);

    /// How much time each hook has in a run() with this total, ordered by phase. Logs `hook.short` for each
    /// hook that may get less than its own timeout. To be called when the program starts.
    std::vector<HookPlan> plan(Duration total) const;

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
    friend HooksReport shutdownAll(const std::vector<ServerToShutDown>&, const Context&, EventLog*);

    void insert(Hook hook, bool withThread);
    std::vector<Steps> phases() const;
    static std::vector<Duration> timeoutsOf(const std::vector<Steps>& phases);

    EventLog* const events_;
    const std::unique_ptr<detail::HookThreads> threads_;
    mutable std::mutex mutex_;
    Steps steps_;           // guarded by mutex_
    bool started_ = false;  // guarded by mutex_
};

}  // namespace lifecycle
