#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lifecycle/context.h"
#include "lifecycle/event_log.h"
#include "lifecycle/hooks.h"

namespace lifecycle {

/// A server to shut down: one of ours, Poco's, or anything else that has clients.
struct ServerToShutDown {
    std::string name;
    /// Shuts it down. Should return soon after the context is done; fails by throwing. What it refers to must live
    /// until it returns, see Hook::run.
    std::function<void(const Context&)> shutdown;
};

/// Shuts servers down concurrently, each on a thread of its own: one that fails or hangs does not hold
/// up the others. Each is called with `context`, even if that is done already: then it cuts. Blocks until
/// all have returned, at most until 100 ms after `context` is done, which is the time that cutting may take;
/// a server that has not returned by then is left behind and reported as timed out. Logs as Hooks do;
/// `events` may be null.
///
/// If the system has no thread left, a server is shut down on the calling thread and cannot be left behind.
/// Programs that must not depend on new threads in a shutdown add a hook for each server when they start,
/// all in one phase.
HooksReport shutdownAll(const std::vector<ServerToShutDown>& servers, const Context& context,
                        EventLog* events = nullptr);

}  // namespace lifecycle
