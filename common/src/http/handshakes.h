#pragma once

#include <cstdint>

#include "lifecycle/file_descriptor.h"

namespace lifecycle::http {

enum class Handshakes {
    none,      ///< no client is in the middle of connecting
    underWay,  ///< the kernel has answered a client's SYN and waits for its ACK
    unknown,   ///< the kernel does not tell (a sandbox without netlink)
};

/// Asks the kernel whether clients are in the middle of connecting. They believe, or are about to, that
/// they are connected, so a listener that is closed now resets them.
///
/// The socket for the question is opened with the object: a shutdown may begin when this process has no
/// descriptor left. Not for several threads.
///
/// Source: sock_diag(7).
class HandshakeQuery {
public:
    HandshakeQuery();

    /// Looks for clients of TCP port `port`, over IPv4, or over IPv6 as well. The kernel walks through its
    /// whole table of connections, so the time depends on the size of that table: well below a millisecond
    /// for 10,000 buckets, some milliseconds for the 500,000 of a large machine.
    Handshakes to(std::uint16_t port, bool alsoIpv6);

private:
    Handshakes ask(std::uint8_t family, std::uint16_t port);

    FileDescriptor netlink_;
    std::uint32_t sequence_ = 0;
};

}  // namespace lifecycle::http
