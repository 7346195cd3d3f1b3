#include "lifecycle/hooks.h"

#include <algorithm>
#include <climits>
#include <exception>
#include <span>
#include <stdexcept>

#include "timer_queue.h"
#include "worker_pool.h"

namespace lifecycle {

std::string_view toString(HookStatus status) {
    switch (status) {
        case HookStatus::waiting:
            return "waiting";
        case HookStatus::running:
            return "running";
        case HookStatus::ok:
            return "ok";
        case HookStatus::failed:
            return "failed";
        case HookStatus::timedOut:
            return "timed out";
        case HookStatus::skipped:
            return "skipped";
    }
    return "";
}

bool HooksReport::allOk() const {
    return std::all_of(hooks.begin(), hooks.end(),
                       [](const HookReport& hook) { return hook.status == HookStatus::ok; });
}

bool HooksReport::anyAbandoned() const {
    return std::any_of(hooks.begin(), hooks.end(),
                       [](const HookReport& hook) { return hook.status == HookStatus::timedOut; });
}

/// A hook and what is with it. Shared with the thread that runs it, so that an abandoned hook still
/// finds its function and its place for a result that nobody reads.
struct Hooks::Step {
    explicit Step(Hook added) : hook(std::move(added)) {
        state.name = hook.name;
        state.phase = hook.phase;
        state.timeout = hook.timeout;
    }

    HookReport report() const {
        const std::lock_guard lock(mutex);
        HookReport copy = state;
        if (copy.status == HookStatus::running) {
            copy.took = Clock::now() - begin;
        }
        return copy;
    }

    void start(Duration granted) {
        const std::lock_guard lock(mutex);
        state.status = HookStatus::running;
        state.timeout = granted;
        begin = Clock::now();
    }

    /// The first result counts: a hook that returns after it was abandoned stays abandoned.
    bool finish(HookStatus status, const std::string& error = {}) {
        const std::lock_guard lock(mutex);
        if (state.over()) {
            return false;
        }
        state.status = status;
        state.error = error;
        if (begin != TimePoint()) {
            state.took = Clock::now() - begin;
        }
        return true;
    }

    const Hook hook;
    mutable std::mutex mutex;
    HookReport state;  // guarded by mutex
    TimePoint begin;   // guarded by mutex
};

namespace {

/// Why the hook failed, "" if it did not.
std::string callHook(const Hook& hook, const Context& context) {
    try {
        hook.run(context);
        return {};
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "an exception that is no std::exception";
    }
}

}  // namespace

Hooks::Hooks(EventLog* events) : events_(events) {
    detail::TimerQueue::instance().start();  // at the end there may be no thread left for it
}

void Hooks::add(Hook hook) {
    if (!hook.run) {
        throw std::invalid_argument("Hooks::add: hook \"" + hook.name + "\" has nothing to run");
    }
    const std::lock_guard lock(mutex_);
    if (started_) {
        throw std::logic_error("Hooks::add: the shutdown has begun, hook \"" + hook.name + "\" would not run");
    }
    steps_.push_back(std::make_shared<Step>(std::move(hook)));
}

Hooks::Steps Hooks::ordered() const {
    const std::lock_guard lock(mutex_);
    Steps steps = steps_;
    std::stable_sort(steps.begin(), steps.end(),
                     [](const auto& a, const auto& b) { return a->hook.phase < b->hook.phase; });
    return steps;
}

std::vector<HookReport> Hooks::progress() const {
    std::vector<HookReport> reports;
    for (const auto& step : ordered()) {
        reports.push_back(step->report());
    }
    return reports;
}

namespace {

/// One phase after the other: calls `function` with the steps of a phase and all steps behind it.
template <typename Step, typename Function>
void forEachPhase(std::span<Step> steps, Function function) {
    while (!steps.empty()) {
        const auto end = std::find_if(steps.begin(), steps.end(), [&](const auto& step) {
            return step->hook.phase != steps.front()->hook.phase;
        });
        const auto count = static_cast<std::size_t>(end - steps.begin());
        function(steps.first(count), steps.subspan(count));
        steps = steps.subspan(count);
    }
}

/// The timeout of a phase: the longest of its hooks, as they run side by side.
template <typename Step>
Duration longestOf(std::span<Step> phase) {
    Duration longest{};
    for (const auto& step : phase) {
        longest = std::max(longest, step->hook.timeout);
    }
    return longest;
}

/// What they want together, none more than `most`.
template <typename Step>
Duration sumOfPhases(std::span<Step> steps, Duration most) {
    Duration sum{};
    forEachPhase(steps, [&](const auto& phase, const auto&) {
        sum = addSaturated(sum, std::min(longestOf(phase), most));
    });
    return sum;
}

/// What `rest` must leave for later phases: what these want, or their share if it is too little.
Duration reserve(Duration rest, Duration wanted, Duration wantedLater) {
    if (rest == Duration::max()) {
        return Duration::zero();  // no deadline
    }
    const Duration sum = addSaturated(wanted, wantedLater);
    if (sum <= rest || sum == Duration::zero()) {
        return wantedLater;
    }
    const double share = static_cast<double>(wantedLater.count()) / static_cast<double>(sum.count());
    return Duration(static_cast<std::int64_t>(share * static_cast<double>(rest.count())));
}

}  // namespace

Duration Hooks::longest() const {
    const Steps steps = ordered();
    return sumOfPhases(std::span(steps), Duration::max());
}

/// One run() of all hooks.
class Hooks::Run {
public:
    Run(const Context& total, EventLog* events)
        : total_(total),
          events_(events),
          threads_(std::make_shared<Threads>("hook", Threads::Limits{.threads = UINT_MAX, .queued = 0},
                                             [](const std::function<void()>& call) { call(); })) {}

    void runPhase(std::span<const std::shared_ptr<Step>> steps, Duration reserved);

    /// Without `waitForAll` those are left behind that run abandoned hooks.
    void endThreads(bool waitForAll) { threads_->stop(waitForAll); }

private:
    using Threads = detail::WorkerPool<std::function<void()>>;

    struct Running {
        std::shared_ptr<Step> step;
        Context limit;  // ended by its time, or by the end of the hook
    };

    Running start(const std::shared_ptr<Step>& step, Duration granted);
    static void conclude(Step& step, const std::string& error, const Context& limit, EventLog* events);
    static void overrun(Step& step, const char* note, EventLog* events);

    const Context total_;
    EventLog* const events_;
    const std::shared_ptr<Threads> threads_;
};

HooksReport Hooks::run(const Context& total) {
    {
        const std::lock_guard lock(mutex_);
        if (started_) {
            throw std::logic_error("Hooks::run: called twice");
        }
        started_ = true;
    }
    const TimePoint begin = Clock::now();
    const Steps steps = ordered();
    Run hooks(total, events_);
    forEachPhase(std::span(steps), [&](const auto& phase, const auto& later) {
        const Duration rest = total.remaining();
        hooks.runPhase(phase, reserve(rest, std::min(longestOf(phase), rest), sumOfPhases(later, rest)));
    });
    HooksReport report = {progress(), Clock::now() - begin};
    hooks.endThreads(!report.anyAbandoned());
    return report;
}

void Hooks::Run::runPhase(std::span<const std::shared_ptr<Step>> steps, Duration reserved) {
    std::vector<Running> running;
    for (const auto& step : steps) {
        const Duration granted = std::min(step->hook.timeout, total_.remaining() - reserved);
        if (granted > Duration::zero()) {
            running.push_back(start(step, granted));
        } else {
            step->finish(HookStatus::skipped);
        }
    }
    for (const Running& hook : running) {
        hook.limit.wait();
        overrun(*hook.step, "abandoned: it may still be running", events_);
    }
}

void Hooks::Run::overrun(Step& step, const char* note, EventLog* events) {
    if (step.finish(HookStatus::timedOut) && events != nullptr) {
        events->emit("hook.timeout", {{"name", step.hook.name}, {"took", step.report().took}, {"note", note}});
    }
}

Hooks::Run::Running Hooks::Run::start(const std::shared_ptr<Step>& step, Duration granted) {
    const auto [limit, end] = withTimeout(total_, granted);
    step->start(granted);
    if (events_ != nullptr) {
        events_->emit("hook.begin", {{"name", step->hook.name}, {"phase", step->hook.phase}, {"timeout", granted}});
    }
    // C++20 lambdas cannot capture structured bindings everywhere yet, hence the copies.
    const bool started = threads_->submit([step, limit = limit, end = end, events = events_] {
        const std::string error = callHook(step->hook, limit);
        conclude(*step, error, limit, events);
        end("the hook is over");
    });
    if (!started) {
        // The system has no thread left. Run here it cannot be abandoned, but the end is worth that.
        const std::string error = callHook(step->hook, limit);
        conclude(*step, error, limit, events_);
        end("the hook is over");
    }
    return {step, limit};
}

void Hooks::Run::conclude(Step& step, const std::string& error, const Context& limit, EventLog* events) {
    if (error.empty() && limit.done()) {
        overrun(step, "it has ended, too late", events);  // whoever is quicker to notice
        return;
    }
    const bool inTime = step.finish(error.empty() ? HookStatus::ok : HookStatus::failed, error);
    if (!inTime || events == nullptr) {
        return;
    }
    const Duration took = step.report().took;
    if (error.empty()) {
        events->emit("hook.end", {{"name", step.hook.name}, {"took", took}});
    } else {
        events->emit("hook.failed", {{"name", step.hook.name}, {"error", error}, {"took", took}});
    }
}

}  // namespace lifecycle
