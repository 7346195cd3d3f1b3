#pragma once

#include <istream>
#include <string>

#include "timeline.h"

namespace lifecycle::timeline {

/// Reads the log of a run: the events of a server, and lines of the same form whose words begin with `client.`, which
/// tell what happened on the other side:
///
///     +0.055s request.begin id=1 method=GET path=/hello
///     +0.066s client.refused path=/healthz          a connect was refused at this moment
///     +2.055s request.end id=1 status=200
///     +3.000s client.killed pid=4711                SIGKILL was sent: that process logs no more
///
/// A request without an end was cut if its process logged deadline.hit, and otherwise lost. Background work, which no
/// client waits for, is a bar from the first response to its end: done or lost, as shutdown.end reports. If several
/// processes wrote the log, as in a hot restart, each is a row with its own rows below it, and marks are prefixed
/// with its name; see Processes. Other lines are skipped.
Timeline readLog(std::istream& log, const std::string& title);

}  // namespace lifecycle::timeline
