#include "lifecycle/listening_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>

#include "core/directory_lock.h"

namespace lifecycle {
namespace {

using Poco::Net::SocketAddress;

/// The kernel's limit, net.core.somaxconn, applies on top.
constexpr int backlog = 4096;

/// How long to wait for another process to release the directory of a Unix socket.
constexpr Duration lockLimit = std::chrono::seconds(1);
constexpr Duration removalLimit = std::chrono::milliseconds(100);

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

/// Which file is at that path: "device:number". The kernel gives the number to no other file while the
/// socket that is bound to it is open, even if the file was removed.
std::string fileAt(const std::string& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)
               ? std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino)
               : "";
}

/// A path stays when its process is killed; nobody answers there then. Throws StartError if somebody does.
void removeDeadPath(const SocketAddress& address, bool locked) {
    const std::string path = address.toString();
    if (fileAt(path).empty()) {
        return;
    }
    const std::string inUse = "cannot listen on " + path + ": " + std::generic_category().message(EADDRINUSE);
    const FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::connect(probe.get(), address.addr(), address.length()) != -1 || errno != ECONNREFUSED) {
        throw StartError(inUse);
    }
    if (!locked) {
        throw StartError(inUse + " (nobody answers there, but its directory is locked, or cannot be read)");
    }
    ::unlink(path.c_str());
}

int option(int descriptor, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

}  // namespace

ListeningSocket::ListeningSocket(FileDescriptor descriptor, SocketAddress address)
    : descriptor_(std::move(descriptor)), address_(std::move(address)) {}

ListeningSocket ListeningSocket::listenOn(const SocketAddress& address, IPv4Clients ipv4) {
    try {
        Poco::Net::ServerSocket socket;
        // Until it listens: before that, its path looks as if a dead process had left it behind.
        std::optional<detail::DirectoryLock> lock;
        if (isPath(address)) {
            lock.emplace(address.toString(), lockLimit);
            removeDeadPath(address, static_cast<bool>(*lock));
        }
        if (address.family() == SocketAddress::IPv6) {
            socket.bind6(address, true, false, ipv4 == IPv4Clients::notByIPv6);
        } else {
            socket.bind(address, !isPath(address), false);
        }
        socket.listen(backlog);
        // Poco has nothing to make a socket from a descriptor before 1.13, so all of ours are plain.
        ListeningSocket listening(FileDescriptor(duplicateOf(socket.impl()->sockfd())), socket.address());
        if (isPath(address)) {
            listening.boundTo(fileAt(address.toString()));
        }
        return listening;
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
    ListeningSocket copy(FileDescriptor(duplicateOf(descriptor())), address_);
    copy.boundTo(file_);
    return copy;
}

std::uint64_t ListeningSocket::inode() const {
    struct stat status;
    return ::fstat(descriptor(), &status) == 0 ? status.st_ino : 0;
}

void ListeningSocket::removePath() const noexcept try {
    if (file_.empty() || !isOpen()) {
        return;
    }
    const std::string path = address_.toString();
    const detail::DirectoryLock lock(path, removalLimit);
    if (lock && fileAt(path) == file_) {
        ::unlink(path.c_str());
    }
} catch (const std::exception&) {
    // If the path stays, the next start takes it over.
}

}  // namespace lifecycle
