#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>

#include <Poco/Net/SocketAddress.h>

#include "http/loop/handshakes.h"
#include "lifecycle/file_descriptor.h"
#include "lifecycle/listening_socket.h"

namespace lifecycle::http {

/// Accepts from a listening socket, and can close it without resetting a client.
///
/// Other processes may hold the socket as well, now or later. So nothing is set on it except O_NONBLOCK, which is
/// indispensable: of two processes that wait for one listener, as in a hot restart, one would otherwise hang in
/// accept(2) when the other one has taken the client. What connections need is set on each accepted socket.
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
        FileDescriptor descriptor;  ///< close-on-exec
        sockaddr_storage peer;
        socklen_t peerLength;
    };

    enum class Status {
        accepted,
        empty,      ///< nobody is in line
        exhausted,  ///< this process or the system has no descriptor left
    };

    /// Takes the next client in line, if there is one. Does not block.
    Status accept(std::optional<Accepted>& client);

    /// How many connections are in the accept queue; 0 for a Unix socket: the kernel does not report it.
    std::uint64_t queued() const;

    /// From now on the kernel refuses new connections, while queued ones can be accepted, and
    /// handshakes under way complete: their clients would be reset if the socket were closed right now.
    /// Never on a socket that another process goes on with: it concerns the socket, not this descriptor.
    /// Returns false where the kernel cannot (before Linux 5.7, or in a sandbox). Does not block.
    ///
    /// Source: SO_BINDTODEVICE in socket(7); unix_shutdown and unix_stream_connect in Linux's net/unix/af_unix.c.
    bool refuseNewcomers();

    /// Clients are in the middle of connecting; a Unix socket has no handshake.
    Handshakes handshakes(HandshakeQuery& query) const;

    void close() { socket_.close(); }
    bool isOpen() const { return socket_.isOpen(); }

private:
    ListeningSocket socket_;
};

}  // namespace lifecycle::http
