#pragma once

#include "lifecycle/event_log.h"
#include "settings.h"

namespace stage {

/// Tells at the start how long the end may take, and warns if there is not enough time for it:
/// whoever starts a container should not learn that when it is killed. Logs `plan`, `plan.total`
/// and, if work takes longer than the service waits for it, `plan.work`.
void tellPlan(const Settings& settings, lifecycle::EventLog& events);

}  // namespace stage
