#include "catch.h"
#include "load.h"
#include "scripted_server.h"

#include <sstream>

using namespace std::chrono_literals;
using lifecycle::test::Clock;
using lifecycle::test::eventually;
using lifecycle::test::LoadClients;
using lifecycle::test::ScriptedServer;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
const std::string unavailable = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                                "Connection: close\r\n\r\n";

/// Answers `count` requests of a connection, then closes without a word.
ScriptedServer::Script answers(int count) {
    return [count](ScriptedServer::Peer& peer) {
        for (int i = 0; i < count && !peer.readRequest().empty(); ++i) {
            peer.write(ok);
        }
    };
}

} // namespace

TEST_CASE("support: every request of a load is counted once") {
    ScriptedServer server(answers(1'000'000));
    LoadClients load({.port = server.port(), .clients = 4, .requestsPerClient = 50});
    const auto result = load.wait();
    CHECK(result.sent == 200);
    CHECK(result.answeredWith(200) == 200);
    CHECK(result.answeredTotal() == 200);
    CHECK(result.lost == 0);
    CHECK(result.refused == 0);
    CHECK(result.latencies.size() == 200);
    CHECK(result.lastAnswerAt);
    CHECK(load.answered() == 200);
}

TEST_CASE("support: a load with one connection per request asks for the close") {
    std::atomic<int> connections{0};
    ScriptedServer server([&](ScriptedServer::Peer& peer) {
        ++connections;
        if (peer.readRequest().find("Connection: close\r\n") != std::string::npos) {
            peer.write(ok);
        }
    });
    LoadClients load({.port = server.port(), .keepAlive = false, .requestsPerClient = 20});
    CHECK(load.wait().answeredWith(200) == 20);
    CHECK(connections == 20);
}

TEST_CASE("support: a request on a reused connection without an answer is lost") {
    ScriptedServer server([](ScriptedServer::Peer& peer) {
        peer.readRequest();
        peer.write(ok);
        peer.readRequest(); // taken, and never answered
    });
    LoadClients load({.port = server.port(), .requestsPerClient = 10});
    const auto result = load.wait();
    CHECK(result.sent == 10);
    CHECK(result.answeredWith(200) == 5);
    CHECK(result.lost == 5);
    CHECK(result.lostOnReused == 5);
}

TEST_CASE("support: a client told to close asks on a new connection") {
    ScriptedServer server([](ScriptedServer::Peer& peer) {
        peer.readRequest();
        peer.write(unavailable);
    });
    LoadClients load({.port = server.port(), .requestsPerClient = 10});
    const auto result = load.wait();
    CHECK(result.answeredWith(503) == 10);
    CHECK(result.lost == 0);
}

TEST_CASE("support: a load ends at the first refused connect") {
    ScriptedServer server(answers(1));
    LoadClients load({.port = server.port(), .clients = 4, .keepAlive = false});
    REQUIRE(eventually([&] { return load.answered() >= 20; }, 10s));
    server.stopListening();
    const auto result = load.wait();
    CHECK(result.refused + result.failedConnects >= 4);
    CHECK(result.sent == result.answeredTotal() + result.lost + result.timedOut);
}

TEST_CASE("support: a load that goes on after a refusal ends with its time") {
    ScriptedServer server(answers(1));
    server.stopListening();
    const auto beganAt = Clock::now();
    LoadClients load({.port = server.port(), .duration = 50ms, .untilRefused = false});
    const auto result = load.wait();
    CHECK(result.sent == 0);
    CHECK(result.refused > 1);
    CHECK(Clock::now() - beganAt >= 50ms);
}

TEST_CASE("support: a load ends when it is stopped even in a long pause") {
    ScriptedServer server(answers(1'000'000));
    LoadClients load({.port = server.port(), .clients = 2, .thinkTime = 1h, .duration = 1h});
    REQUIRE(eventually([&] { return load.answered() == 2; }, 10s));
    load.stop();
    CHECK(load.wait().answeredWith(200) == 2);
}

TEST_CASE("support: an answer that does not come in time is counted as timed out") {
    ScriptedServer server([](ScriptedServer::Peer& peer) {
        peer.readRequest();
        peer.readByte();
    });
    LoadClients load({.port = server.port(), .requestsPerClient = 1, .answerTimeout = 20ms});
    const auto result = load.wait();
    CHECK(result.timedOut == 1);
    CHECK(result.lost == 0);
    std::ostringstream text;
    text << result;
    CHECK(text.str().find("sent=1 lost=0") == 0);
}
