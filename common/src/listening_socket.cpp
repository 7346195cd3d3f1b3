#include "lifecycle/listening_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>

namespace lifecycle {
namespace {

using Poco::Net::SocketAddress;

/// The kernel's limit, net.core.somaxconn, applies on top.
constexpr int backlog = 4096;

bool isPath(const SocketAddress& address) {
    return address.family() == SocketAddress::UNIX_LOCAL;
}

int duplicateOf(int descriptor) {
    const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    if (copy == -1) {
        throw StartError("no descriptor for a listening socket: " + std::generic_category().message(errno));
    }
    return copy;
}

/// A path stays when its process is killed; nobody answers there then. Throws StartError if somebody does.
void removeDeadPath(const SocketAddress& address) {
    struct stat status;
    const std::string path = address.toString();
    if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return;
    }
    const FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::connect(probe.get(), address.addr(), address.length()) == -1 && errno == ECONNREFUSED) {
        ::unlink(path.c_str());
    } else {
        throw StartError("cannot listen on " + path + ": " + std::generic_category().message(EADDRINUSE));
    }
}

int option(int descriptor, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

}  // namespace

ListeningSocket::ListeningSocket(FileDescriptor descriptor, SocketAddress address)
    : descriptor_(std::move(descriptor)), address_(std::move(address)) {}

ListeningSocket ListeningSocket::listenOn(const SocketAddress& address) {
    try {
        Poco::Net::ServerSocket socket;
        if (isPath(address)) {
            removeDeadPath(address);
        }
        if (address.family() == SocketAddress::IPv6) {
            socket.bind6(address, true, false, false);
        } else {
            socket.bind(address, !isPath(address), false);
        }
        socket.listen(backlog);
        // Poco has nothing to make a socket from a descriptor before 1.13, so all of ours are plain.
        return ListeningSocket(FileDescriptor(duplicateOf(socket.impl()->sockfd())), socket.address());
    } catch (const Poco::Exception& error) {
        const std::string reason =
            error.code() != 0 ? std::generic_category().message(error.code()) : error.displayText();
        throw StartError("cannot listen on " + address.toString() + ": " + reason);
    }
}

ListeningSocket ListeningSocket::adopt(FileDescriptor descriptor) {
    const int number = descriptor.get();
    const std::string what = "descriptor " + std::to_string(number);
    const int family = option(number, SO_DOMAIN);
    if (family == -1) {
        throw StartError(what + " is no socket");
    }
    if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) {
        throw StartError(what + " is a socket of another family than IPv4, IPv6 and Unix");
    }
    if (option(number, SO_TYPE) != SOCK_STREAM || option(number, SO_ACCEPTCONN) != 1) {
        throw StartError(what + " is no listening stream socket");
    }
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    if (::getsockname(number, reinterpret_cast<sockaddr*>(&name), &size) != 0) {
        throw StartError(what + " has no address");
    }
    ::fcntl(number, F_SETFD, FD_CLOEXEC);
    return ListeningSocket(std::move(descriptor), SocketAddress(reinterpret_cast<const sockaddr*>(&name), size));
}

ListeningSocket ListeningSocket::duplicate() const {
    return ListeningSocket(FileDescriptor(duplicateOf(descriptor())), address_);
}

std::uint64_t ListeningSocket::inode() const {
    struct stat status;
    return ::fstat(descriptor(), &status) == 0 ? status.st_ino : 0;
}

void ListeningSocket::removePath() const noexcept {
    if (isPath(address_)) {
        ::unlink(reinterpret_cast<const char*>(address_.addr()) + sizeof(sa_family_t));
    }
}

}  // namespace lifecycle
