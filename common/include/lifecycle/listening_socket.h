#pragma once

#include <cstdint>
#include <stdexcept>

#include <Poco/Net/SocketAddress.h>

#include "lifecycle/file_descriptor.h"

namespace lifecycle {

/// The server cannot listen: port taken, no permission, not an address of this machine, or what it
/// was given is no listening socket.
class StartError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A socket that listens, apart from the server that accepts from it: so that it can be handed from
/// one process to the next, which costs no client its place in line.
///
/// Several processes may hold the same socket. It ends when the last of them has closed it; so none
/// may shutdown(2) it, and close() here does not. Not for several threads.
class ListeningSocket {
public:
    /// Listens on an address: IPv4, IPv6 ([::] takes IPv4 clients, too), or the path of a Unix socket;
    /// a path that a process left behind is taken over. Throws StartError. Only SO_REUSEADDR is set:
    /// with SO_REUSEPORT, Poco's default, a second server on the same port would take half of the clients.
    static ListeningSocket listenOn(const Poco::Net::SocketAddress& address);

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

    /// Closes this descriptor of it.
    void close() { descriptor_.reset(); }
    bool isOpen() const { return static_cast<bool>(descriptor_); }

    /// Removes the path of a Unix socket, for whoever ends the service; otherwise does nothing.
    void removePath() const noexcept;

private:
    ListeningSocket(FileDescriptor descriptor, Poco::Net::SocketAddress address);

    FileDescriptor descriptor_;
    Poco::Net::SocketAddress address_;
};

}  // namespace lifecycle
