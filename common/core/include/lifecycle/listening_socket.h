#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include <Poco/Net/SocketAddress.h>

#include "lifecycle/file_descriptor.h"

namespace lifecycle {

/// The server cannot listen: port taken, no permission, not an address of this machine, or what it
/// was given is not a listening socket.
class StartError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A listening socket, apart from the server that accepts from it, so that one process can hand it to the next and
/// clients in its accept queue are not lost.
///
/// Several processes may hold the same socket. It listens until the last of them closes it, or one of them
/// calls shutdown(2), which ends it for all; close() does not. Not thread-safe.
class ListeningSocket {
public:
    enum class IPv4Clients { accepted, notByIPv6 };

    /// Listens on an address: IPv4, IPv6 ([::] accepts IPv4 clients, too, unless `ipv4` says otherwise), or
    /// the path of a Unix socket; a path that a dead process left behind is taken over, by only one process
    /// if several try. Blocks at most a second. Throws StartError. Only SO_REUSEADDR is set: with
    /// SO_REUSEPORT, Poco's default, a second server on the same port would take half of the clients.
    static ListeningSocket listenOn(const Poco::Net::SocketAddress& address,
                                    IPv4Clients ipv4 = IPv4Clients::accepted);

    /// Takes over a descriptor that this process was given. Throws StartError unless it is a stream
    /// socket of one of these families that listens.
    static ListeningSocket adopt(FileDescriptor descriptor);

    /// Another descriptor of the same socket, close-on-exec.
    ListeningSocket duplicate() const;

    int descriptor() const { return descriptor_.get(); }

    /// With the real port.
    const Poco::Net::SocketAddress& address() const { return address_; }

    /// The number by which two processes can tell that they hold the same socket.
    std::uint64_t inode() const;

    /// Closes this descriptor; other holders of the socket do not notice.
    void close() { descriptor_.reset(); }
    bool isOpen() const { return static_cast<bool>(descriptor_); }

    /// Identifies the file that a Unix socket's bind created at its path, for a process that takes the socket
    /// over; empty for other sockets, and for those of a service manager.
    const std::string& file() const { return file_; }
    /// After adopt(): sets file() to its value in the previous process.
    void boundTo(std::string file) { file_ = std::move(file); }

    /// Removes the path of a Unix socket when the service shuts down, unless another process listens on
    /// that path by now. Must be called before close(). Blocks at most 100 ms. Otherwise does nothing.
    void removePath() const noexcept;

private:
    ListeningSocket(FileDescriptor descriptor, Poco::Net::SocketAddress address);

    FileDescriptor descriptor_;
    Poco::Net::SocketAddress address_;
    std::string file_;
};

}  // namespace lifecycle
