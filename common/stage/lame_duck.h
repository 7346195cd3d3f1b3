#pragma once

#include "lifecycle/context.h"
#include "lifecycle/duration.h"
#include "lifecycle/event_log.h"

namespace stage {

/// The lame duck: the server serves on for this time, which load balancers need to notice that
/// /readyz is 503, and to send their clients elsewhere. Blocks that long, or until the context is
/// done; says when it begins and ends. With no time it is no step at all: returns at once, silent.
inline void serveLameDuck(lifecycle::Duration time, const lifecycle::Context& context, lifecycle::EventLog& events) {
    if (time > lifecycle::Duration::zero()) {
        events.emit("lame_duck.begin", {{"duration", time}});
        context.waitFor(time);
        events.emit("lame_duck.end");
    }
}

}  // namespace stage
