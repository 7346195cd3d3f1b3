#pragma once

#include "lifecycle/duration.h"
#include "lifecycle/event_log.h"

namespace stage {

/// Holds the longest time that a shutdown may take against `grace`, the time until somebody kills
/// the process (0: nobody said): `docker stop` does after 10 seconds, Kubernetes after 30. Logs
/// `plan.total`, with a warning if it does not fit.
void checkGrace(lifecycle::Duration atMost, lifecycle::Duration grace, lifecycle::EventLog& events);

}  // namespace stage
