// A server on sockets that another process, here: another server, holds too.

#include "catch.h"
#include "load.h"
#include "served.h"

#include "lifecycle/listening_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <memory>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::Context;
using lifecycle::HttpServer;
using lifecycle::HttpServerOptions;
using lifecycle::ListeningSocket;

namespace {

std::unique_ptr<HttpServer> serverOn(const ListeningSocket& socket, const std::string& name) {
    const Handle handle = [name](HTTPServerRequest&, HTTPServerResponse& response) { answer(response, name); };
    auto server = std::make_unique<HttpServer>(
        new FunctionFactory(handle), HttpServerOptions{.sockets = {&socket}, .keepAliveGrace = 300ms});
    server->start();
    return server;
}

void end(HttpServer& server) {
    CHECK(server.shutdown(withTimeout(Context::background(), 30s).context).clean());
}

} // namespace

TEST_CASE("library: serving on a socket sets nothing on it that the next program would find but O_NONBLOCK") {
    const ListeningSocket socket = ListeningSocket::listenOn({"127.0.0.1", 0});
    const auto server = serverOn(socket, "old");
    CHECK(get(socket.address().port(), "/").body == "old");
    server->stopAccepting();
    end(*server);

    timeval limit{1, 1};
    socklen_t size = sizeof limit;
    REQUIRE(::getsockopt(socket.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &limit, &size) == 0);
    CHECK(limit.tv_sec == 0);
    CHECK(limit.tv_usec == 0);
    int value = -1;
    size = sizeof value;
    REQUIRE(::getsockopt(socket.descriptor(), IPPROTO_TCP, TCP_NODELAY, &value, &size) == 0);
    CHECK(value == 0);
    value = -1;
    REQUIRE(::getsockopt(socket.descriptor(), SOL_SOCKET, SO_BINDTOIFINDEX, &value, &size) == 0);
    CHECK(value == 0);
}

TEST_CASE("library: a server that stops accepting leaves who is in line to the other one") {
    const ListeningSocket socket = ListeningSocket::listenOn({"127.0.0.1", 0});
    const int port = socket.address().port();
    const auto old = serverOn(socket, "old");
    CHECK(get(port, "/").body == "old");
    Connection kept = Connection::to(port);
    kept.send(httpRequest("GET", "/"));
    CHECK(kept.readResponse(10s).keepsAlive());

    old->stopAccepting();
    Connection inLine = Connection::to(port);
    REQUIRE_FALSE(inLine.error());
    inLine.send(httpRequest("GET", "/"));
    kept.send(httpRequest("GET", "/"));
    const Response last = kept.readResponse(10s);
    CHECK(last.body == "old");
    CHECK_FALSE(last.keepsAlive());

    const auto next = serverOn(socket, "new");
    CHECK(inLine.readResponse(10s).body == "new");
    end(*old);
    for (int i = 0; i < 20; ++i) { // the end of one has done nothing to the socket
        CHECK(get(port, "/").body == "new");
    }
    end(*next);
    CHECK(old->counters().answeredWithClose == 1);
}

TEST_CASE("library: a server that takes its clients back keeps connections alive as before") {
    const ListeningSocket socket = ListeningSocket::listenOn({"127.0.0.1", 0});
    const int port = socket.address().port();
    const auto server = serverOn(socket, "server");
    Connection kept = Connection::to(port);
    kept.send(httpRequest("GET", "/"));
    CHECK(kept.readResponse(10s).keepsAlive());
    for (int i = 0; i < 3; ++i) {
        server->stopAccepting();
        server->stopAccepting();
        Connection inLine = Connection::to(port);
        inLine.send(httpRequest("GET", "/"));
        server->resumeAccepting();
        CHECK(inLine.readResponse(10s).keepsAlive());
    }
    std::this_thread::sleep_for(400ms); // longer than the grace, which is over
    kept.send(httpRequest("GET", "/"));
    CHECK(kept.readResponse(10s).keepsAlive());
    server->stopAccepting();
    CHECK(kept.readBytes(1, 10s).outcome == Outcome::closed);
    end(*server);
    CHECK(server->counters().idleClosed >= 1);
}

TEST_CASE("library: clients that connect for each request lose nothing over 100 hand-overs of a socket") {
    const ListeningSocket socket = ListeningSocket::listenOn({"127.0.0.1", 0});
    auto server = serverOn(socket, "0");
    LoadClients load({.port = socket.address().port(), .clients = 4, .keepAlive = false, .untilRefused = false});
    for (int i = 1; i <= 100; ++i) {
        auto next = serverOn(socket, std::to_string(i));
        server->stopAccepting();
        end(*server);
        server = std::move(next);
    }
    load.stop();
    const LoadResult result = load.wait();
    CAPTURE(result);
    CHECK(result.lost + result.refused + result.failedConnects + result.timedOut == 0);
    CHECK(result.sent > 100);
    end(*server);
}
