#pragma once

#include <initializer_list>

#include "lifecycle/duration.h"
#include "lifecycle/event_log.h"

namespace lifecycle {

/// Checks at the start of a program whether its shutdown fits the grace period: the time from SIGTERM to SIGKILL, 10 s
/// for `docker stop`, 30 s in Kubernetes. `steps` are the limits of the shutdown's steps, which run one after the other,
/// and a margin, since a timeout that only just fits does not fit. `grace` of zero means that it is not known.
///
/// Logs `plan.total`, with a warning if the steps do not fit. Returns whether they do: true if `grace` is not known.
/// The durations must not be negative.
///
///     checkGracePeriod({lameDuck, timeout, hooks.longest(), 1s}, 30s, events);
bool checkGracePeriod(std::initializer_list<Duration> steps, Duration grace, EventLog& events);

}  // namespace lifecycle
