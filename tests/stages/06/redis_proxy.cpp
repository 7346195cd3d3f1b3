#include "redis_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace lifecycle::test {

namespace {

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// Passes on what is there; false at the end of the connection, or if `swallow` says so.
template <class Swallow>
bool pass(int from, int to, Swallow swallow) {
    std::array<char, 16384> bytes;
    const ssize_t size = ::recv(from, bytes.data(), bytes.size(), 0);
    if (size <= 0 || swallow()) {
        return false;
    }
    return ::send(to, bytes.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) == size;
}

} // namespace

RedisProxy::RedisProxy(int serverPort)
    : serverPort_(serverPort), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_.get(), 64) != 0 ||
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::system_error(errno, std::generic_category(), "RedisProxy");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { acceptUntilStopped(); });
}

RedisProxy::~RedisProxy() {
    stopping_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR); // wakes accept
    acceptor_.join();
    for (std::thread& connection : connections_) {
        connection.join();
    }
}

void RedisProxy::acceptUntilStopped() {
    while (!stopping_) {
        const int client = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
        if (client >= 0) {
            const std::lock_guard lock(mutex_);
            connections_.emplace_back([this, client] { forward(client); });
        }
    }
}

void RedisProxy::forward(int clientSocket) {
    const FileDescriptor client(clientSocket);
    const FileDescriptor server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(serverPort_);
    if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return;
    }
    bool open = true;
    while (open && !stopping_) {
        std::array<pollfd, 2> both{pollfd{client.get(), POLLIN, 0},
                                   pollfd{server.get(), POLLIN, 0}};
        ::poll(both.data(), both.size(), 50); // only so that the end of the test is noticed
        if (both[0].revents != 0) {
            open = pass(client.get(), server.get(), [] { return false; });
        }
        if (open && both[1].revents != 0) {
            open = pass(server.get(), client.get(), [this] { return swallowsThis(); });
        }
    }
}

bool RedisProxy::swallowsThis() {
    int left = to_swallow_;
    while (left > 0) {
        if (to_swallow_.compare_exchange_weak(left, left - 1)) {
            ++swallowed_;
            return true;
        }
    }
    return false;
}

} // namespace lifecycle::test
