#include "lifecycle/hooks.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>

#include "core/quiet_thread.h"
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

/// Threads that have been started and wait for hooks, one per hook: enough even if all hooks are abandoned.
/// The one that was busy last is taken first. For one thread at a time.
class Hooks::Threads {
public:
    ~Threads() { end(true, [](const Thread&) { return true; }); }

    /// Starts one more. Throws std::system_error if the system has none left.
    void addOne() {
        const auto thread = std::make_shared<Thread>();
        thread->thread = detail::startQuietThread("hook", [shared = shared_, thread] { work(*shared, *thread); });
        const std::lock_guard lock(shared_->mutex);
        shared_->idle.push_back(thread.get());
        threads_.push_back(thread);
    }

    /// False if no thread is waiting.
    bool run(std::function<void()> task) {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->idle.empty()) {
            return false;
        }
        Thread& thread = *shared_->idle.back();
        shared_->idle.pop_back();
        thread.task = std::move(task);
        thread.isUsed = true;
        thread.wake.notify_one();
        return true;
    }

    /// Ends those that ran something, and waits for them; without `waitForAll` not for those that still do.
    /// It is the destructor that ends the others, and does not wait: they have touched nothing.
    void endUsed(bool waitForAll) {
        end(waitForAll, [](const Thread& thread) { return thread.isUsed; });
    }

private:
    struct Thread {
        std::thread thread;              // for the owner of the threads
        std::condition_variable wake;
        std::function<void()> task;      // guarded by the mutex below, as what follows
        bool isUsed = false;
        bool isEnding = false;
    };
    struct Shared {
        std::mutex mutex;
        std::vector<Thread*> idle;  // the one that was busy last at the end
    };

    static void work(Shared& shared, Thread& self) {
        std::unique_lock lock(shared.mutex);
        for (;;) {
            self.wake.wait(lock, [&] { return self.task || self.isEnding; });
            if (!self.task) {
                return;
            }
            std::function<void()> task = std::exchange(self.task, nullptr);
            lock.unlock();
            task();
            task = nullptr;  // what an abandoned hook holds is released without the lock
            lock.lock();
            shared.idle.push_back(&self);
        }
    }

    template <typename Condition>
    void end(bool waitForAll, Condition condition) {
        std::vector<std::thread> ended;
        {
            const std::lock_guard lock(shared_->mutex);
            for (const auto& thread : threads_) {
                if (!condition(*thread) || !thread->thread.joinable()) {
                    continue;
                }
                const auto idle = std::find(shared_->idle.begin(), shared_->idle.end(), thread.get());
                thread->isEnding = true;
                thread->wake.notify_one();
                const bool isWaitedFor = thread->isUsed && (waitForAll || idle != shared_->idle.end());
                if (isWaitedFor) {
                    ended.push_back(std::move(thread->thread));
                } else {
                    thread->thread.detach();
                }
                if (idle != shared_->idle.end()) {
                    shared_->idle.erase(idle);
                }
            }
        }
        for (std::thread& thread : ended) {
            thread.join();
        }
    }

    const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();  // threads that are left behind hold it
    std::vector<std::shared_ptr<Thread>> threads_;
};

Hooks::Hooks(EventLog* events) : events_(events), threads_(std::make_unique<Threads>()) {
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

/// The sum of the timeouts of all phases, none counted as more than `most`.
template <typename Step>
Duration sumOfPhases(std::span<Step> steps, Duration most) {
    Duration sum{};
    forEachPhase(steps, [&](const auto& phase, const auto&) {
        sum = addSaturated(sum, std::min(longestOf(phase), most));
    });
    return sum;
}

/// What earlier phases cannot take from a phase: an equal share of half the total, or all it may use.
template <typename Step>
Duration keptForEach(std::span<Step> steps, Duration total) {
    int phases = 0;
    forEachPhase(steps, [&](const auto&, const auto&) { ++phases; });
    return phases == 0 || total == Duration::max() ? Duration::zero() : total / (2 * phases);
}

/// How much of `rest` a hook gets if `later` is kept for later phases, and `kept` for its own.
Duration grant(Duration timeout, Duration rest, Duration later, Duration kept) {
    const Duration available = rest == Duration::max() ? rest : std::max(rest - later, std::min(rest, kept));
    return std::min(timeout, available);
}

}  // namespace

Duration Hooks::longest() const {
    const Steps steps = ordered();
    return sumOfPhases(std::span(steps), Duration::max());
}

std::vector<HookPlan> Hooks::plan(Duration total) const {
    const Steps steps = ordered();
    const Duration kept = keptForEach(std::span(steps), total);
    std::vector<HookPlan> plans;
    Duration rest = total;
    forEachPhase(std::span(steps), [&](const auto& phase, const auto& later) {
        const Duration reserved = sumOfPhases(later, kept);
        for (const auto& step : phase) {
            const Hook& hook = step->hook;
            plans.push_back({hook.name, hook.phase, hook.timeout, grant(hook.timeout, rest, reserved, kept)});
        }
        if (rest != Duration::max()) {
            rest -= grant(longestOf(phase), rest, reserved, kept);
        }
    });
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
    Run(const Context& total, Threads& threads, EventLog* events)
        : total_(total), threads_(threads), events_(events) {}

    /// With `later` kept for later phases, and `kept` for this one.
    void runPhase(std::span<const std::shared_ptr<Step>> steps, Duration later, Duration kept);

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
    Threads& threads_;
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
    const Steps steps = ordered();
    const Duration kept = keptForEach(std::span(steps), total.remaining());
    Run hooks(total, *threads_, events_);
    forEachPhase(std::span(steps), [&](const auto& phase, const auto& later) {
        hooks.runPhase(phase, sumOfPhases(later, kept), kept);
    });
    HooksReport report = {progress(), Clock::now() - begin};
    threads_->endUsed(!report.anyAbandoned());
    return report;
}

void Hooks::Run::runPhase(std::span<const std::shared_ptr<Step>> steps, Duration later, Duration kept) {
    std::vector<Running> running;
    for (const auto& step : steps) {
        const Duration granted = grant(step->hook.timeout, total_.remaining(), later, kept);
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
