#include "steps/shutdown_plan.h"

#include <algorithm>
#include <chrono>

#include "lifecycle/grace_period.h"

namespace stage {

using lifecycle::Duration;

void logPlan(const lifecycle::Hooks& hooks, Duration total, Duration grace, lifecycle::EventLog& events) {
    for (const lifecycle::HookReport& hook : hooks.progress()) {
        events.emit("plan", {{"hook", hook.name}, {"phase", hook.phase}, {"at_most", hook.timeout}});
    }
    hooks.plan(total);  // logs which of them may get less
    const Duration worst = std::min(total, hooks.longest());
    lifecycle::checkGracePeriod({worst}, grace, events);
}

void logUsed(const lifecycle::Hooks& hooks, lifecycle::EventLog& events) {
    for (const lifecycle::HookReport& hook : hooks.progress()) {
        if (hook.over()) {
            events.emit("plan.used", {{"hook", hook.name},
                                      {"planned", hook.timeout},
                                      {"took", hook.took},
                                      {"status", toString(hook.status)}});
        }
    }
}

}  // namespace stage
