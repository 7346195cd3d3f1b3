#pragma once

#include <optional>
#include <vector>

#include "lifecycle/file_descriptor.h"
#include "lifecycle/listening_socket.h"
#include "lifecycle/restart_channel.h"

namespace lifecycle {

/// What a process finds open when it starts: listening sockets from a service manager (systemd's
/// socket activation) or from the generation before it. Both come through the same door: LISTEN_FDS
/// descriptors from 3 on, named in LISTEN_FDNAMES.
///
/// A service manager tells in LISTEN_PID whom it means. A generation cannot know the pid of the one
/// that it starts beforehand; it adds a RestartChannel under the name "restart" instead, and one
/// descriptor named "older" for each generation that still lives, see openProcess.
struct InheritedSockets {
    std::vector<ListeningSocket> sockets;
    /// To the process that has started this one; empty when a service manager has.
    std::optional<RestartChannel> starter;
    /// What the starter has said first.
    RestartMessage start;
    std::vector<FileDescriptor> older;

    /// Takes what there is. To be called first thing in main, before any thread: it unsets the variables and
    /// sets close-on-exec on every descriptor from 3 on, also those that the parent left open by mistake,
    /// so that children and later generations do not inherit them.
    ///
    /// Throws StartError, with a sentence for the user, when something is not as it should be: a
    /// descriptor that is closed, no socket, or does not listen, another address than the starter
    /// says, or another version of the protocol.
    static InheritedSockets take();

    /// Of `sockets`, for HttpServerOptions and SuccessorPlan; good while they stay where they are.
    std::vector<const ListeningSocket*> pointers() const;
};

}  // namespace lifecycle
