#pragma once

#include "lifecycle/event_log.h"
#include "lifecycle/signals.h"

namespace lifecycle {

/// Logs that a signal arrived: its name, its number and who sent it. Blocks at most `limit`.
void logSignal(EventLog& events, const SignalInfo& signal, Duration limit = EventLog::patience);

}  // namespace lifecycle
