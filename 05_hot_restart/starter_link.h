#pragma once

#include <functional>
#include <optional>

#include "lifecycle/file_descriptor.h"
#include "lifecycle/inherited_sockets.h"
#include "lifecycle/poll_loop.h"
#include "lifecycle/restart_channel.h"

namespace stage {

/// The connection of a generation to the process that started it: the previous generation, or a Supervisor. The first
/// generation has none, and then nothing here has an effect.
///
/// Used on the loop's thread only.
class StarterLink {
public:
    /// Takes the channel out of `inherited`.
    StarterLink(lifecycle::PollLoop& loop, lifecycle::InheritedSockets& inherited);
    ~StarterLink();

    StarterLink(const StarterLink&) = delete;
    StarterLink& operator=(const StarterLink&) = delete;

    /// `onDisconnected` is called when the channel is closed: the starter has exited, or is about to.
    void listen(std::function<void(const lifecycle::RestartMessage&)> onMessage, std::function<void()> onDisconnected);

    void sendMessage(const lifecycle::RestartMessage& message) const;

    /// Closes the channel without listening to it any more.
    void close();

    /// Calls `onExited` when the starter's process has exited; only for a starter that serves clients.
    void watchProcess(std::function<void()> onExited);
    void forgetProcess();

private:
    lifecycle::PollLoop& loop_;
    std::optional<lifecycle::RestartChannel> channel_;
    lifecycle::FileDescriptor process_;  // see openProcess
};

}  // namespace stage
