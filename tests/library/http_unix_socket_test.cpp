// A server on the path of a Unix socket ends as well as one on a port.

#include "catch.h"
#include "deadline.h"
#include "served.h"
#include "temp_dir.h"

#include "lifecycle/file_descriptor.h"
#include "lifecycle/listening_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
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
                while (ask()) {
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
    bool ask() {
        const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (::connect(socket.get(), address_.addr(), address_.length()) != 0) {
            return false;
        }
        const std::string request = httpRequest("GET", "/");
        std::array<char, 1024> answer;
        const bool sent = ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0;
        ++(sent && ::recv(socket.get(), answer.data(), answer.size(), 0) > 0 ? served_ : lost_);
        return true;
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
