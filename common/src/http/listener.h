#pragma once

#include <optional>

#include <Poco/Net/SocketAddress.h>

#include "http/handshakes.h"
#include "lifecycle/listening_socket.h"

namespace lifecycle::http {

/// Accepts from a listening socket, and can close it without resetting a client.
///
/// Used by one thread at a time.
class Listener {
public:
    explicit Listener(ListeningSocket socket);

    int descriptor() const { return socket_.descriptor(); }
    const Poco::Net::SocketAddress& address() const { return socket_.address(); }

    /// It listens on a path, not on a port.
    bool isLocal() const;

    struct Accepted {
        int descriptor;  ///< close-on-exec
        Poco::Net::SocketAddress peer;
    };

    enum class Status {
        accepted,
        empty,      ///< nobody is in line
        exhausted,  ///< this process or the system has no descriptor left
    };

    /// Takes the next client in line, if there is one. Does not block.
    Status accept(std::optional<Accepted>& client);

    /// Somebody is in line, for whom there was no descriptor. Not told of a Unix socket.
    bool hasClients() const;

    /// From now on the kernel refuses who begins to connect, while those in line can be accepted, and
    /// handshakes under way complete: their clients would be reset if the socket were closed right now.
    /// Never on a socket that another process goes on with: it concerns the socket, not this descriptor.
    /// Returns false where the kernel cannot (before Linux 5.7, or in a sandbox). Does not block.
    ///
    /// Source: SO_BINDTODEVICE in socket(7); unix_shutdown and unix_stream_connect in Linux's net/unix/af_unix.c.
    bool refuseNewcomers();

    /// Clients are in the middle of connecting. See handshakesTo; a Unix socket has no handshake.
    Handshakes handshakes() const;

    void close() { socket_.close(); }
    bool isOpen() const { return socket_.isOpen(); }

private:
    ListeningSocket socket_;
};

}  // namespace lifecycle::http
