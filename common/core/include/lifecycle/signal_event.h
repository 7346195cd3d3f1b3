#pragma once

#include <string_view>

#include "lifecycle/event_log.h"
#include "lifecycle/signals.h"

namespace lifecycle {

/// Logs that a signal arrived: its name, its number, who sent it, and `note`, which says what it led to
/// ("" for none; a signal from the terminal then has a note of its own). Blocks at most `limit`.
void logSignal(EventLog& events, const SignalInfo& signal, Duration limit = EventLog::patience,
               std::string_view note = {});

}  // namespace lifecycle
