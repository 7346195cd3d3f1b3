#pragma once

#include "lifecycle/duration.h"
#include "lifecycle/event_log.h"
#include "lifecycle/hooks.h"

namespace stage {

/// Reports how long the shutdown may take in the worst case, step by step, and warns if that is more than the grace
/// period, the time until the process is killed (0: not known). Logs `plan` for each hook, `hook.short` for each that may
/// get less than that because `total` is too short, and `plan.total`.
void logPlan(const lifecycle::Hooks& hooks, lifecycle::Duration total, lifecycle::Duration grace,
              lifecycle::EventLog& events);

/// Logs planned and used time: `plan.used` for each hook that is over.
void logUsed(const lifecycle::Hooks& hooks, lifecycle::EventLog& events);

}  // namespace stage
