#include "http/loop/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <limits>
#include <utility>

namespace lifecycle::http {
namespace {

/// Responses are written whole; waiting for more would only delay them.
void sendAtOnce(int descriptor) {
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

Listener::Listener(ListeningSocket socket) : socket_(std::move(socket)) {
    const int flags = ::fcntl(descriptor(), F_GETFL);
    if ((flags & O_NONBLOCK) == 0) {
        ::fcntl(descriptor(), F_SETFL, flags | O_NONBLOCK);
    }
}

Listener::Status Listener::accept(std::optional<Accepted>& client) {
    for (;;) {
        sockaddr_storage peer{};
        socklen_t length = sizeof peer;
        const int accepted = ::accept4(descriptor(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_CLOEXEC);
        if (accepted >= 0) {
            client.emplace(FileDescriptor(accepted), peer, length);
            if (!isLocal()) {
                sendAtOnce(accepted);
            }
            return Status::accepted;
        }
        switch (errno) {
            case EINTR:
            case ECONNABORTED:
            case EPROTO:
            case ENETDOWN:
            case ENOPROTOOPT:
            case EHOSTDOWN:
            case ENONET:
            case EHOSTUNREACH:
            case EOPNOTSUPP:
            case ENETUNREACH:
                break;  // This client is gone, accept(2): take the next one.
            case EAGAIN:
                return Status::empty;
            case EBADF:
            case EINVAL:
            case ENOTSOCK:
                return Status::empty;  // Not a listening socket any more.
            default:
                return Status::exhausted;  // EMFILE, ENFILE, ENOBUFS, ENOMEM; EPERM leaves the client in line
        }
    }
}

std::uint64_t Listener::queued() const {
    tcp_info info{};
    socklen_t size = sizeof info;
    // Of a listener tcpi_unacked is the length of its accept queue, tcp_get_info in Linux's net/ipv4/tcp.c.
    return !isLocal() && ::getsockopt(descriptor(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_unacked : 0;
}

bool Listener::isLocal() const {
    return address().family() == Poco::Net::SocketAddress::UNIX_LOCAL;
}

bool Listener::refuseNewcomers() {
    if (isLocal()) {
        return ::shutdown(descriptor(), SHUT_RD) == 0;  // Unlike with TCP, the line stays.
    }
    // A listener that is bound to an interface is found by nobody who comes in by another one, and from an
    // interface that does not exist comes nobody. Whoever began before has been entered without one.
    constexpr int noInterface = std::numeric_limits<int>::max();
    return ::setsockopt(descriptor(), SOL_SOCKET, SO_BINDTOIFINDEX, &noInterface, sizeof noInterface) == 0;
}

Handshakes Listener::handshakes(HandshakeQuery& query) const {
    if (isLocal()) {
        return Handshakes::none;
    }
    return query.to(address().port(), address().family() == Poco::Net::SocketAddress::IPv6);
}

}  // namespace lifecycle::http
