// A server on the path of a Unix socket ends as well as one on a port.

#include "catch.h"
#include "deadline.h"
#include "proc.h"
#include "served.h"
#include "temp_dir.h"

#include "lifecycle/file_descriptor.h"
#include "lifecycle/listening_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::Context;
using lifecycle::FileDescriptor;
using lifecycle::HttpServer;
using lifecycle::ListeningSocket;
using Poco::Net::SocketAddress;

namespace {

SocketAddress addressIn(const TempDir& folder) {
    return {SocketAddress::UNIX_LOCAL, (folder.path() / "socket").string()};
}

/// No descriptor if the connection is refused.
FileDescriptor connectTo(const SocketAddress& address) {
    FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(socket.get(), address.addr(), address.length()) == 0 ? std::move(socket) : FileDescriptor();
}

/// One request. Is there an answer?
bool ask(const FileDescriptor& socket) {
    const std::string request = httpRequest("GET", "/");
    std::array<char, 1024> answer;
    return ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0 &&
           ::recv(socket.get(), answer.data(), answer.size(), 0) > 0;
}

struct Fates {
    int served = 0;
    int lost = 0; ///< connected, and then no answer
};

/// Clients that connect for each request, until they are refused.
class LocalClients {
public:
    explicit LocalClients(const SocketAddress& address) : address_(address) {
        for (int i = 0; i < 4; ++i) {
            threads_.emplace_back([this] {
                while (askOnce()) {
                }
            });
        }
    }

    int served() const { return served_; }

    Fates wait() {
        for (std::thread& thread : threads_) {
            thread.join();
        }
        return {served_, lost_};
    }

private:
    bool askOnce() {
        const FileDescriptor socket = connectTo(address_);
        if (socket) {
            ++(ask(socket) ? served_ : lost_);
        }
        return static_cast<bool>(socket);
    }

    const SocketAddress address_;
    std::atomic<int> served_ = 0;
    std::atomic<int> lost_ = 0;
    std::vector<std::thread> threads_;
};

Fates oursEnds() {
    const TempDir folder;
    HttpServer server(new FunctionFactory(hello), {.address = addressIn(folder)});
    server.start();
    LocalClients clients(server.address());
    REQUIRE(eventually([&] { return clients.served() >= 20; }, 10s));
    CHECK(server.shutdown(withTimeout(Context::background(), 30s).context).clean());
    return clients.wait();
}

/// Closes its socket as soon as nobody is in line.
Fates carelessEnds() {
    const TempDir folder;
    ListeningSocket listener = ListeningSocket::listenOn(addressIn(folder));
    LocalClients clients(listener.address());
    for (int served = 0;;) {
        pollfd inLine{listener.descriptor(), POLLIN, 0};
        if (::poll(&inLine, 1, served < 20 ? 10'000 : 0) == 0) {
            break;
        }
        const FileDescriptor client(::accept4(listener.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
        std::array<char, 1024> request;
        REQUIRE(::recv(client.get(), request.data(), request.size(), 0) > 0);
        REQUIRE(::send(client.get(), "hello", 5, MSG_NOSIGNAL) == 5);
        ++served;
    }
    listener.close();
    return clients.wait();
}

} // namespace

TEST_CASE("library: by a Unix path a client that keeps its connection holds no thread and no shutdown") {
    const TempDir folder;
    HttpServer server(new FunctionFactory(hello),
                      {.address = addressIn(folder), .threads = 2, .keepAliveGrace = 50ms});
    server.start();
    std::vector<FileDescriptor> clients;
    for (int i = 0; i < 5; ++i) { // more than threads
        clients.push_back(connectTo(server.address()));
        REQUIRE(ask(clients.back()));
    }
    clients.push_back(connectTo(server.address())); // it never says a word
    const auto result = server.shutdown(withTimeout(Context::background(), 30s).context);
    CHECK(result.clean());
    CHECK(result.served == 5);
    CHECK(result.took < 10s);
}

TEST_CASE("library: by a Unix path an answer without a length is cut at the deadline") {
    const TempDir folder;
    std::atomic<bool> ended = false;
    HttpServer server(new FunctionFactory([&](HTTPServerRequest&, HTTPServerResponse& response) {
                          std::ostream& body = response.send();
                          const std::string much(100'000, 'x');
                          while (body << much) {
                          }
                          ended = true;
                      }),
                      {.address = addressIn(folder)});
    server.start();
    const FileDescriptor client = connectTo(server.address());
    const std::string request = "GET / HTTP/1.0\r\n\r\n";
    REQUIRE(::send(client.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
    REQUIRE(eventually([&] { return !server.connections().empty() && server.connections()[0].inFlight(); }, 10s));
    CHECK(server.shutdown(withTimeout(Context::background(), 100ms).context).cut == 1);
    CHECK(eventually([&] { return ended.load(); }, 10s));
    // The worker that the cut left behind gives its buffer back to a pool of Poco, which this process must outlive.
    CHECK(eventually([] { return threadNames(::getpid()).count("http-worker") == 0; }, 10s));
}

TEST_CASE("library: by a Unix path nobody is lost and with a socket that is just closed some are") {
    for (int round = 0; round < 200; ++round) {
        const Fates fates = oursEnds();
        REQUIRE(fates.lost == 0);
        REQUIRE(fates.served >= 20);
    }
    bool lost = false;
    for (int round = 0; round < 2000 && !lost; ++round) {
        lost = carelessEnds().lost > 0;
    }
    CHECK(lost);
}

// By a Unix path, since there what has been sent has arrived: to a port, a busy kernel delivers it later.
TEST_CASE("library: every request that was sent before the cut is answered or counted as cut") {
    constexpr std::size_t count = 40;
    const TempDir folder;
    const SocketAddress address = addressIn(folder);
    for (int round = 0; round < 10; ++round) {
        HttpServer server(new FunctionFactory(hello), {.address = address});
        server.start();
        std::vector<FileDescriptor> clients;
        while (clients.size() < count) {
            clients.push_back(connectTo(address));
            REQUIRE(ask(clients.back()));
        }
        const std::string request = httpRequest("GET", "/");
        for (const FileDescriptor& client : clients) {
            REQUIRE(::send(client.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
        }
        // Some of them are being read, some wait in the sockets of idle connections.
        const auto [over, cancel] = withCancel(Context::background());
        cancel("at once");
        const lifecycle::ShutdownResult result = server.shutdown(over);
        CHECK(result.served + result.cut == 2 * count);
        CHECK(result.refused == 0);
        std::size_t answered = 0;
        for (const FileDescriptor& client : clients) {
            std::array<char, 1024> answer;
            answered += ::recv(client.get(), answer.data(), answer.size(), 0) > 0 ? 1 : 0;
        }
        CHECK(answered <= result.served - count + result.cut);
        CHECK(answered + result.cut >= count);
    }
}
