#include "catch.h"
#include "http_client.h"
#include "scripted_server.h"

#include <atomic>

using namespace std::chrono_literals;
using lifecycle::test::Clock;
using lifecycle::test::Connection;
using lifecycle::test::get;
using lifecycle::test::httpRequest;
using lifecycle::test::Outcome;
using lifecycle::test::ScriptedServer;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";

} // namespace

TEST_CASE("support: a request is written with its header and length") {
    CHECK(httpRequest("GET", "/hello") == "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(httpRequest("POST", "/", {{"Connection", "close"}}, "body") ==
          "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 4\r\n\r\n"
          "body");
}

TEST_CASE("support: get asks once on a connection of its own") {
    std::string request;
    ScriptedServer server([&](ScriptedServer::Peer& peer) {
        request = peer.readRequest();
        peer.write(ok);
    });
    const auto response = get(server.port(), "/hello");
    CHECK(response.outcome == Outcome::complete);
    CHECK(response.status == 200);
    CHECK(response.body == "hello\n");
    CHECK(request.find("GET /hello HTTP/1.1\r\n") == 0);
    CHECK(request.find("Connection: close\r\n") != std::string::npos);
}

TEST_CASE("support: a refused connect is a result") {
    ScriptedServer server([](ScriptedServer::Peer&) {});
    server.stopListening();
    CHECK(Connection::to(server.port()).error() == std::errc::connection_refused);
    CHECK(get(server.port(), "/").outcome == Outcome::refused);
}

TEST_CASE("support: requests sent at once are answered one by one") {
    ScriptedServer server([](ScriptedServer::Peer& peer) {
        peer.write(ok + "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        peer.readByte();
    });
    auto connection = Connection::to(server.port());
    CHECK(connection.readResponse(10s).status == 200);
    CHECK(connection.readResponse(10s).status == 404);
    CHECK_FALSE(connection.closedByServer());
}

TEST_CASE("support: the client tells closed from truncated from reset from timeout") {
    SECTION("closed before any byte") {
        ScriptedServer server([](ScriptedServer::Peer& peer) { peer.readRequest(); });
        CHECK(get(server.port(), "/").outcome == Outcome::closed);
    }
    SECTION("truncated") {
        ScriptedServer server([](ScriptedServer::Peer& peer) {
            peer.readRequest();
            peer.write(ok.substr(0, ok.size() - 1));
        });
        const auto response = get(server.port(), "/");
        CHECK(response.outcome == Outcome::truncated);
        CHECK(response.status == 200);
    }
    SECTION("reset") {
        ScriptedServer server([](ScriptedServer::Peer& peer) {
            peer.readRequest();
            peer.reset();
        });
        CHECK(get(server.port(), "/").outcome == Outcome::reset);
    }
    SECTION("timeout") {
        ScriptedServer server([](ScriptedServer::Peer& peer) {
            peer.readRequest();
            peer.readByte();
        });
        const auto beganAt = Clock::now();
        CHECK(get(server.port(), "/", 20ms).outcome == Outcome::timeout);
        CHECK(Clock::now() - beganAt >= 20ms);
    }
}

TEST_CASE("support: bytes can be read as they are") {
    ScriptedServer server([](ScriptedServer::Peer& peer) { peer.write("abcdef"); });
    auto connection = Connection::to(server.port());
    const auto some = connection.readBytes(4, 10s);
    CHECK(some.bytes == "abcd");
    CHECK(some.outcome == Outcome::complete);
    const auto rest = connection.readBytes(4, 10s);
    CHECK(rest.bytes == "ef");
    CHECK(rest.outcome == Outcome::truncated);
    CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    CHECK(connection.closedByServer());
}

TEST_CASE("support: a half close lets the answer through") {
    ScriptedServer server([](ScriptedServer::Peer& peer) {
        peer.readRequest();
        if (!peer.readByte()) {
            peer.write(ok);
        }
    });
    auto connection = Connection::to(server.port());
    connection.send(httpRequest("GET", "/"));
    connection.halfClose();
    CHECK(connection.readResponse(10s).status == 200);
}

TEST_CASE("support: a send to a connection the server has reset fails without a signal") {
    ScriptedServer server([](ScriptedServer::Peer& peer) {
        peer.readByte();
        peer.reset();
    });
    auto connection = Connection::to(server.port());
    CHECK_FALSE(connection.send("x"));
    CHECK(connection.readBytes(1, 10s).outcome == Outcome::reset);
    CHECK(connection.send("y") == std::errc::broken_pipe);
    CHECK(connection.error() == std::errc::broken_pipe);
}

TEST_CASE("support: a client with a small receive buffer that does not read blocks the server") {
    const std::string large(8'000'000, 'x');
    std::atomic<bool> written{false};
    ScriptedServer server([&](ScriptedServer::Peer& peer) {
        peer.write(large);
        written = true;
    });
    auto connection = Connection::to(server.port(), 5s, {.receiveBuffer = 4096});
    CHECK(connection.readBytes(1000, 10s).outcome == Outcome::complete);
    CHECK_FALSE(written);
    CHECK(connection.readBytes(large.size() - 1000, 30s).outcome == Outcome::complete);
    CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    CHECK(written);
}

TEST_CASE("support: a send has a deadline as well") {
    std::atomic<bool> done{false};
    ScriptedServer server([&](ScriptedServer::Peer&) {
        lifecycle::test::eventually([&] { return done.load(); }, 30s);
    });
    auto connection = Connection::to(server.port());
    CHECK(connection.send(std::string(50'000'000, 'x'), 50ms) == std::errc::timed_out);
    done = true;
}

TEST_CASE("support: the client resets a connection when told to") {
    std::atomic<bool> gotByte{true};
    ScriptedServer server([&](ScriptedServer::Peer& peer) {
        peer.write("x");
        gotByte = peer.readByte();
    });
    {
        auto connection = Connection::to(server.port());
        CHECK(connection.readBytes(1, 10s).bytes == "x");
        CHECK(connection.localPort() > 0);
        connection.reset();
        CHECK(connection.localPort() == 0);
    }
    CHECK(lifecycle::test::eventually([&] { return !gotByte; }, 10s));
}

TEST_CASE("support: the client knows a whole answer from the beginning of one") {
    const auto isHere = [](const std::string& bytes, bool close) {
        std::atomic<bool> written = false;
        ScriptedServer server([&](ScriptedServer::Peer& peer) {
            peer.write(bytes);
            written = !close;
            if (!close) {
                peer.readByte(); // until the client closes
            }
        });
        const Connection client = Connection::to(server.port());
        REQUIRE(lifecycle::test::eventually([&] { return written || client.closedByServer(); }, 10s));
        return client.answerIsHere();
    };
    CHECK(isHere(ok, false));
    CHECK(isHere("HTTP/1.0 200 OK\r\n\r\nhello", true));
    CHECK_FALSE(isHere("", false));
    CHECK_FALSE(isHere("", true));
    CHECK_FALSE(isHere("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", false));
    CHECK_FALSE(isHere("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhel", true));
    CHECK_FALSE(isHere("HTTP/1.1 103 Early Hints\r\n\r\n", false));
    CHECK_FALSE(isHere("HTTP/1.0 200 OK\r\n\r\nhello", false));
}
