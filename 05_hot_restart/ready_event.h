#pragma once

#include <sys/types.h>

#include <string_view>
#include <vector>

#include "lifecycle/event_log.h"
#include "lifecycle/listening_socket.h"

namespace stage {

/// Logs that clients are served. `word` is "ready", with the pid to send signals to, or "worker.ready" with that of a
/// generation below a Supervisor.
void logReady(lifecycle::EventLog& events, std::string_view word, unsigned generation,
               const std::vector<lifecycle::ListeningSocket>& sockets);

}  // namespace stage
