#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lifecycle/file_descriptor.h"

namespace lifecycle {

/// One message between two generations of a service: a word and fields, as in an event.
struct RestartMessage {
    std::string word;
    std::vector<std::pair<std::string, std::string>> fields{};

    /// The value, empty if there is no such field.
    std::string_view text(std::string_view key) const;
    /// The same as a number, 0 if it is not one.
    std::uint64_t number(std::string_view key) const;
};

/// The messages between a generation and the one that it starts. In this order:
///
///     starter → new   start     version=, generation=, sockets: what is handed over
///     new → starter   ready     version=, pid=, inodes of the sockets that it got; it is ready to serve
///     starter → new   serve     all of that is right: accept clients
///     new → starter   serving   it accepts clients; only now does the starter stop accepting
///
/// So at any moment at least one process accepts. Before `serve` the new generation accepts nobody, so nothing is lost
/// if it fails or is killed; afterwards it may have clients, and the starter kills it only if it closes the channel and
/// does not exit. Further messages are up to the service, except `shutdown` (see Successor::forceExit). The channel ends
/// when the other process exits.
///
/// Messages are kept whole (a SOCK_SEQPACKET pair); up to about 200 kB fit (net.core.wmem_default). Nothing
/// here blocks. send() may be called from every thread, the rest from one.
class RestartChannel {
public:
    static constexpr std::uint64_t version = 3;

    explicit RestartChannel(FileDescriptor descriptor) : descriptor_(std::move(descriptor)) {}

    struct Ends;
    /// Both ends, close-on-exec. Throws std::system_error.
    static Ends make();

    /// False if the whole message was dropped: the other process has exited, which ended() will report, or does not
    /// read, or the message is too long; errno says which.
    bool send(const RestartMessage& message) const noexcept;

    /// The next message, if one has arrived.
    std::optional<RestartMessage> receive();

    /// receive() has found that the other end is closed.
    bool ended() const { return ended_; }

    int descriptor() const { return descriptor_.get(); }

private:
    FileDescriptor descriptor_;
    bool ended_ = false;
};

struct RestartChannel::Ends {
    RestartChannel ours;
    FileDescriptor theirs;
};

}  // namespace lifecycle
