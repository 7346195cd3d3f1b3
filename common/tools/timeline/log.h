#pragma once

#include <istream>
#include <string>

#include "timeline.h"

namespace lifecycle::timeline {

/// Reads the log of a run: the event lines of a server, and lines of the same form whose words begin
/// with `client.`, which tell what happened on the other side:
///
///     +0.055s request.begin id=1 method=GET path=/hello
///     +0.066s client.refused path=/healthz          a connect that was refused, at this moment
///     +2.055s request.end id=1 status=200
///     +3.000s client.killed pid=4711                SIGKILL was sent: that process logs no more
///
/// A request without an end was cut if its process had a deadline.hit, and else lost. Work in the background, which
/// no client waits for, is a bar from the first response to the end of it: done or lost, as shutdown.end says. If several processes
/// wrote the log, as in a hot restart, each is a row with its own rows below it, and marks say whose they
/// are. Other lines are passed over.
Timeline readLog(std::istream& log, const std::string& title);

}  // namespace lifecycle::timeline
