#pragma once

#include <string_view>

#include "lifecycle/event_log.h"
#include "lifecycle/signals.h"

namespace lifecycle {

/// Logs that a signal arrived: its name, its number, who sent it, and `note`, which says what came of it
/// ("" for none: a signal from the terminal has a note of its own then). Blocks at most `limit`.
void logSignal(EventLog& events, const SignalInfo& signal, Duration limit = EventLog::patience,
               std::string_view note = {});

}  // namespace lifecycle
