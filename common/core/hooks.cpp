#include "lifecycle/hooks.h"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "core/hook_budget.h"
#include "core/hook_threads.h"
#include "core/timer_queue.h"

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

/// A hook and its state. Shared with the thread that runs it, so that an abandoned hook still
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

Hooks::Hooks(EventLog* events) : events_(events), threads_(std::make_unique<detail::HookThreads>()) {
    detail::TimerQueue::instance().start();  // at the end there may be no thread left for it
}

Hooks::~Hooks() = default;

void Hooks::add(Hook hook) {
    insert(std::move(hook), true);
}

void Hooks::insert(Hook hook, bool withThread) {
    if (!hook.run) {
        throw std::invalid_argument("Hooks::add: hook \"" + hook.name + "\" has nothing to run");
    }
    const std::lock_guard lock(mutex_);
    if (started_) {
        throw std::logic_error("Hooks::add: the shutdown has begun, hook \"" + hook.name + "\" would not run");
    }
    if (withThread) {
        threads_->addOne();
    }
    steps_.push_back(std::make_shared<Step>(std::move(hook)));
}

std::vector<Hooks::Steps> Hooks::phases() const {
    Steps steps;
    {
        const std::lock_guard lock(mutex_);
        steps = steps_;
    }
    std::stable_sort(steps.begin(), steps.end(),
                     [](const auto& a, const auto& b) { return a->hook.phase < b->hook.phase; });
    std::vector<Steps> phases;
    for (auto& step : steps) {
        if (phases.empty() || phases.back().front()->hook.phase != step->hook.phase) {
            phases.emplace_back();
        }
        phases.back().push_back(std::move(step));
    }
    return phases;
}

std::vector<HookReport> Hooks::progress() const {
    std::vector<HookReport> reports;
    for (const Steps& phase : phases()) {
        for (const auto& step : phase) {
            reports.push_back(step->report());
        }
    }
    return reports;
}

/// The timeout of each phase: the longest of its hooks, as they run concurrently.
std::vector<Duration> Hooks::timeoutsOf(const std::vector<Steps>& phases) {
    std::vector<Duration> longest;
    for (const Steps& phase : phases) {
        longest.emplace_back();
        for (const auto& step : phase) {
            longest.back() = std::max(longest.back(), step->hook.timeout);
        }
    }
    return longest;
}

Duration Hooks::longest() const {
    Duration sum{};
    for (const Duration timeout : timeoutsOf(phases())) {
        sum = addSaturated(sum, timeout);
    }
    return sum;
}

std::vector<HookPlan> Hooks::plan(Duration total) const {
    const std::vector<Steps> phases = this->phases();
    const std::vector<Duration> timeouts = timeoutsOf(phases);
    const detail::HookBudget budget(timeouts, total);
    std::vector<HookPlan> plans;
    Duration rest = total;
    for (std::size_t phase = 0; phase < phases.size(); ++phase) {
        for (const auto& step : phases[phase]) {
            const Hook& hook = step->hook;
            plans.push_back({hook.name, hook.phase, hook.timeout, budget.grant(phase, hook.timeout, rest)});
        }
        if (rest != Duration::max()) {
            rest -= budget.grant(phase, timeouts[phase], rest);
        }
    }
    for (const HookPlan& plan : plans) {
        if (plan.isShort() && events_ != nullptr) {
            events_->emit("hook.short", {{"name", plan.name},
                                         {"timeout", plan.timeout},
                                         {"at_least", plan.atLeast},
                                         {"total", total},
                                         {"note", "the total is too short for the timeouts of all hooks"}});
        }
    }
    return plans;
}

/// One run() of all hooks.
class Hooks::Run {
public:
    Run(const Context& total, detail::HookThreads& threads, EventLog* events)
        : total_(total), threads_(threads), events_(events) {}

    /// Runs the hooks of the phase with that number, and waits for them.
    void runPhase(const Steps& phase, std::size_t number, const detail::HookBudget& budget);

private:
    struct Running {
        std::shared_ptr<Step> step;
        Context limit;  // ended by its time, or by the end of the hook
    };

    Running start(const std::shared_ptr<Step>& step, Duration granted);
    void skip(Step& step);
    static void conclude(Step& step, const std::string& error, const Context& limit, EventLog* events);
    static void overrun(Step& step, const std::string& note, EventLog* events);

    const Context total_;
    detail::HookThreads& threads_;
    EventLog* const events_;
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
    const std::vector<Steps> phases = this->phases();
    const detail::HookBudget budget(timeoutsOf(phases), total.remaining());
    Run hooks(total, *threads_, events_);
    for (std::size_t number = 0; number < phases.size(); ++number) {
        hooks.runPhase(phases[number], number, budget);
    }
    HooksReport report = {progress(), Clock::now() - begin};
    threads_->endUsed(!report.anyAbandoned());
    return report;
}

void Hooks::Run::runPhase(const Steps& phase, std::size_t number, const detail::HookBudget& budget) {
    std::vector<Running> running;
    for (const auto& step : phase) {
        const Duration granted = budget.grant(number, step->hook.timeout, total_.remaining());
        if (granted > Duration::zero()) {
            running.push_back(start(step, granted));
        } else {
            skip(*step);
        }
    }
    for (const Running& hook : running) {
        hook.limit.wait();
        overrun(*hook.step, "abandoned: it may still be running", events_);
    }
}

void Hooks::Run::skip(Step& step) {
    step.finish(HookStatus::skipped);
    if (events_ != nullptr) {
        events_->emit("hook.skipped", {{"name", step.hook.name}, {"note", "there was no time left for it"}});
    }
}

void Hooks::Run::overrun(Step& step, const std::string& note, EventLog* events) {
    if (step.finish(HookStatus::timedOut) && events != nullptr) {
        const HookReport report = step.report();
        const std::string why = report.timeout < step.hook.timeout
                                    ? "; the total left it less than its own " + formatRounded(step.hook.timeout)
                                    : "";
        events->emit("hook.timeout", {{"name", step.hook.name}, {"took", report.took}, {"note", note + why}});
    }
}

Hooks::Run::Running Hooks::Run::start(const std::shared_ptr<Step>& step, Duration granted) {
    const auto [limit, end] = withTimeout(total_, granted);
    step->start(granted);
    if (events_ != nullptr) {
        events_->emit("hook.begin", {{"name", step->hook.name}, {"phase", step->hook.phase}, {"timeout", granted}});
    }
    // C++20 lambdas cannot capture structured bindings everywhere yet, hence the copies.
    const auto run = [step, limit = limit, end = end, events = events_] {
        const std::string error = callHook(step->hook, limit);
        conclude(*step, error, limit, events);
        end("the hook is over");
    };
    if (!threads_.run(run)) {
        run();  // It cannot be abandoned on this thread, but it runs.
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
