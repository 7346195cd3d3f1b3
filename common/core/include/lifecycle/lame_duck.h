#pragma once

#include "lifecycle/context.h"
#include "lifecycle/duration.h"
#include "lifecycle/event_log.h"

namespace lifecycle {

/// Lame duck: the server keeps serving for `duration`, so that load balancers can notice that /readyz responds 503, and
/// send new clients elsewhere. Blocks for that long, or until `context` is done. Logs `lame_duck.begin` and
/// `lame_duck.end`; with a zero duration returns at once and logs nothing.
void serveLameDuck(Duration duration, const Context& context, EventLog& events);

}  // namespace lifecycle
