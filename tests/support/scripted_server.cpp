#include "scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace lifecycle::test {

std::string ScriptedServer::Peer::readRequest() {
    std::string::size_type end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        char bytes[4096];
        const auto count = ::recv(socket_.get(), bytes, sizeof bytes, 0);
        if (count <= 0) {
            return {};
        }
        buffer_.append(bytes, static_cast<std::size_t>(count));
    }
    std::string request = buffer_.substr(0, end + 4);
    buffer_.erase(0, end + 4);
    return request;
}

bool ScriptedServer::Peer::readByte() {
    char byte = 0;
    return ::recv(socket_.get(), &byte, 1, 0) == 1;
}

void ScriptedServer::Peer::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0) {
            return;
        }
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

void ScriptedServer::Peer::reset() {
    const linger atOnce{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &atOnce, sizeof atOnce);
    socket_.reset();
}

ScriptedServer::ScriptedServer(Script script)
    : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 128) != 0 ||
        ::getsockname(listener_.get(), generic, &size) != 0) {
        throw std::system_error(errno, std::generic_category(), "scripted server");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { acceptUntilStopped(); });
}

ScriptedServer::~ScriptedServer() {
    stopListening();
    for (std::thread& connection : connections_) {
        connection.join();
    }
}

void ScriptedServer::stopListening() {
    if (!stopping_.exchange(true)) {
        ::shutdown(listener_.get(), SHUT_RD); // wakes accept
        acceptor_.join();
        listener_.reset();
    }
}

void ScriptedServer::acceptUntilStopped() {
    while (true) {
        FileDescriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!socket) {
            if (stopping_) {
                return;
            }
            continue;
        }
        connections_.emplace_back([this, moved = std::move(socket)]() mutable {
            Peer peer(std::move(moved));
            script_(peer);
        });
    }
}

} // namespace lifecycle::test
