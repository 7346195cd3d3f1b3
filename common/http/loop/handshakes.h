#pragma once

#include <cstdint>

#include "lifecycle/file_descriptor.h"

namespace lifecycle::http {

enum class Handshakes {
    none,      ///< no client is in the middle of connecting
    underWay,  ///< the kernel has answered a client's SYN and waits for its ACK
    unknown,   ///< the kernel does not tell (a sandbox without netlink)
};

/// Asks the kernel whether clients are in the middle of connecting. They already consider themselves connected,
/// or are about to; closing the listener now would reset them.
///
/// The constructor opens the socket for the query: a shutdown may begin when this process has no descriptor
/// left. Not for several threads.
///
/// Source: sock_diag(7).
class HandshakeQuery {
public:
    HandshakeQuery();

    /// Looks for clients of TCP port `port`, over IPv4, or over IPv6 as well. The kernel walks through its
    /// whole table of connections, once for each, so the time depends on the size of that table
    /// (sysctl net.ipv4.tcp_ehash_entries). Measured for one: 0.1 ms for 16,384 buckets, 2 ms for 524,288.
    Handshakes to(std::uint16_t port, bool alsoIpv6);

private:
    Handshakes ask(std::uint8_t family, std::uint16_t port);

    FileDescriptor netlink_;
    std::uint32_t sequence_ = 0;
};

}  // namespace lifecycle::http
