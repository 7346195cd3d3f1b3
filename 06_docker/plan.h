#pragma once

#include "lifecycle/event_log.h"
#include "settings.h"

namespace stage {

/// Reports at the start how long the shutdown may take, and warns if the grace period is too short for it, instead of
/// letting the operator find out when the container is killed. Logs `plan`, `plan.total` and, if work takes longer than
/// the service waits for it, `plan.work`.
void logPlan(const Settings& settings, lifecycle::EventLog& events);

}  // namespace stage
