#pragma once

#include <optional>
#include <vector>

#include "lifecycle/file_descriptor.h"
#include "lifecycle/listening_socket.h"
#include "lifecycle/restart_channel.h"

namespace lifecycle {

/// The listening sockets that a process inherits from a service manager (systemd's socket activation) or from the
/// previous generation. Both use the same protocol: LISTEN_FDS descriptors from 3 on, named in LISTEN_FDNAMES.
///
/// A service manager sets LISTEN_PID to the process that they are for. A generation cannot know the pid of its
/// successor beforehand; instead it adds a RestartChannel named "restart", and one descriptor named "older" for each
/// generation that is still running, see openProcess. Source: sd_listen_fds(3).
struct InheritedSockets {
    std::vector<ListeningSocket> sockets;
    /// The channel to the process that started this one; empty if a service manager did.
    std::optional<RestartChannel> starter;
    /// The starter's first message.
    RestartMessage start;
    std::vector<FileDescriptor> older;

    /// Adopts the inherited descriptors, if any. Must be called first in main, before any thread: it unsets the
    /// variables and sets close-on-exec on every descriptor from 3 on, also on those that the parent left open by
    /// mistake, so that children and later generations do not inherit them.
    ///
    /// Throws StartError with a sentence for the user if a descriptor is closed, is not a socket, does not listen, or
    /// has another address than the starter names, or if the starter uses another version of the protocol.
    static InheritedSockets fromEnvironment();

    /// To `sockets`, for HttpServerOptions and SuccessorPlan. Valid until `sockets` is moved or changed.
    std::vector<const ListeningSocket*> pointers() const;
};

}  // namespace lifecycle
