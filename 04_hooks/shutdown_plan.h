#pragma once

#include "lifecycle/duration.h"
#include "lifecycle/event_log.h"
#include "lifecycle/hooks.h"

namespace stage {

/// Tells how long the shutdown may take in the worst case, step by step, and warns when that is more
/// than `grace`, the time until somebody kills the process (0: nobody said). Logs `plan` for each
/// hook, `hook.short` for each that may get less than that because `total` is too short, and `plan.total`.
void tellPlan(const lifecycle::Hooks& hooks, lifecycle::Duration total, lifecycle::Duration grace,
              lifecycle::EventLog& events);

/// Tells what was planned and what was used: `plan.used` for each hook that is over.
void tellUsed(const lifecycle::Hooks& hooks, lifecycle::EventLog& events);

}  // namespace stage
