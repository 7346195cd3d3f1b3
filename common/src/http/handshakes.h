#pragma once

#include <cstdint>

namespace lifecycle::http {

enum class Handshakes {
    none,      ///< no client is in the middle of connecting
    underWay,  ///< the kernel has answered a client's SYN and waits for its ACK
    unknown,   ///< the kernel does not tell (a sandbox without netlink)
};

/// Asks the kernel whether clients are in the middle of connecting to TCP port `port`, over IPv4, or
/// over IPv6 as well. They believe, or are about to, that they are connected, so a listener that is
/// closed now resets them. Looks through the table of connections, which takes 1 or 2 ms.
///
/// Source: sock_diag(7).
Handshakes handshakesTo(std::uint16_t port, bool alsoIpv6);

}  // namespace lifecycle::http
