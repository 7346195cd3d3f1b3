// Clients that are in the middle of connecting when the listener closes.

#include "catch.h"
#include "concurrent_shutdown.h"
#include "served.h"
#include "skip.h"

#include "lifecycle/file_descriptor.h"

#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::ShutdownResult;

namespace {

/// A client whose network loses the first answer of the server's kernel, so that it stays in the middle
/// of its handshake. The kernel repeats that answer after a second (RFC 6298), and later ones arrive
/// once `reconnect` has been called.
class UnluckyClient {
public:
    explicit UnluckyClient(int port)
        : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        constexpr unsigned flagsOffset = 13; // in the TCP header, RFC 9293 section 3.1
        constexpr unsigned syn = 0x02;
        std::array<sock_filter, 4> program{{
            BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flagsOffset),
            BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, syn, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, 0),
            BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
        }};
        const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
        unlucky_ = ::setsockopt(socket_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;

        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }

    /// Some kernels let nobody but root lose packets.
    bool isUnlucky() const { return unlucky_; }

    void reconnect() {
        const int unused = 0;
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
    }

    /// What the server answers, or why it does not.
    std::string ask() {
        const std::string request = httpRequest("GET", "/");
        if (!ready(POLLOUT) || ::send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
            return std::generic_category().message(errno);
        }
        std::string answer(4096, '\0');
        const ssize_t size = ready(POLLIN) ? ::recv(socket_.get(), answer.data(), answer.size(), 0) : -1;
        if (size < 0) {
            return std::generic_category().message(errno);
        }
        answer.resize(static_cast<std::size_t>(size));
        return answer;
    }

private:
    bool ready(short event) const {
        pollfd entry{socket_.get(), event, 0};
        return ::poll(&entry, 1, 10'000) == 1;
    }

    const lifecycle::FileDescriptor socket_;
    bool unlucky_ = false;
};

/// A client is in the middle of connecting to `port`: state SYN_RECV in /proc/net/tcp, proc(5).
bool isHalfOpen(int port) {
    char local[16];
    std::snprintf(local, sizeof local, ":%04X ", static_cast<unsigned>(port));
    std::ifstream table("/proc/net/tcp");
    for (std::string line; std::getline(table, line);) {
        const auto address = line.find(local);
        if (address < 20 && line.find(" 03 ", address) < 40) {
            return true;
        }
    }
    return false;
}

bool isRefused(int port) {
    return Connection::to(port, 200ms).error() == std::errc::connection_refused;
}

/// What a client that is in the middle of connecting gets from a listener that is just closed.
std::string answerOfPlainServer() {
    Poco::ThreadPool threads(2, 4);
    auto server = std::make_unique<Poco::Net::HTTPServer>(
        new FunctionFactory(hello), threads, Poco::Net::ServerSocket(Poco::Net::SocketAddress("127.0.0.1", 0)),
        new Poco::Net::HTTPServerParams);
    server->start();
    const int port = server->port();
    UnluckyClient client(port);
    REQUIRE(eventually([&] { return isHalfOpen(port); }, 1s));
    server->stopAll(false);
    server.reset();
    client.reconnect();
    const std::string answer = client.ask();
    threads.joinAll();
    return answer;
}

} // namespace

TEST_CASE("library: a client in the middle of connecting is served and with plain Poco reset") {
    Served server(hello, {.keepAliveGrace = 10s});
    REQUIRE(get(server.port(), "/").status == 200);
    UnluckyClient client(server.port());
    if (!client.isUnlucky()) {
        skip("losing a packet needs root here");
        return;
    }
    REQUIRE(eventually([&] { return isHalfOpen(server.port()); }, 1s));
    Shutdown shutdown(server);
    CHECK(eventually([&] { return isRefused(server.port()); }, 10s)); // those who begin only now
    CHECK(server.events().all("listener.closed").empty());
    client.reconnect();
    CHECK(client.ask().substr(0, 12) == "HTTP/1.1 200");
    const ShutdownResult result = shutdown.result();
    CHECK(result.clean());
    CHECK(result.served == 2);

    CHECK(answerOfPlainServer().substr(0, 4) != "HTTP");
}

TEST_CASE("library: a client in the middle of connecting holds a shutdown no longer than its context") {
    Served server(hello);
    REQUIRE(get(server.port(), "/").status == 200);
    const UnluckyClient client(server.port());
    if (!client.isUnlucky()) {
        skip("losing a packet needs root here");
        return;
    }
    REQUIRE(eventually([&] { return isHalfOpen(server.port()); }, 1s));
    CHECK(shutdownWithin(server, 50ms).took < 1s); // it would be awaited for 1.5 s
}
