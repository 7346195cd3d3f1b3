#include "catch.h"
#include "hello_server.h"
#include "moments.h"
#include "time_limit.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("03: an idle connection may send one more request within the grace") {
    const HelloServer server({"--keepalive-grace", "5s"});
    Connection connection = server.idle();
    server.stop();
    server.waitForEvent("drain.begin");
    connection.send(httpRequest("GET", "/hello?work=1ms"));
    const Response answer = connection.readResponse(10s);
    CHECK(answer.status == 200);
    CHECK(answer.header("Connection") == "close");
    CHECK(connection.readBytes(1, 5s).outcome == Outcome::closed);
    CHECK(server.end(3s).code == 0);
    CHECK(server.summary().number("served") == 2);
}

TEST_CASE("03: an idle connection is closed when the grace is over") {
    const HelloServer server({"--keepalive-grace", "200ms"});
    Connection connection = server.idle();
    const auto askedAt = server.stop();
    const ReadResult end = connection.readBytes(1, 10s);
    CHECK(end.outcome == Outcome::closed);
    CHECK(end.finishedAt - askedAt >= 200ms);
    const ExitStatus status = server.end();
    CHECK(status.code == 0);
    CHECK(status.at - askedAt <= 200ms + limit(2s));
}

TEST_CASE("03: a connection that never sent a byte does not delay the end beyond the grace") {
    const HelloServer server({"--keepalive-grace", "200ms"});
    Connection silent = server.connect();
    get(server.port(), "/healthz"); // accepted in their order: the silent one is known now
    const auto askedAt = server.stop();
    CHECK(silent.readBytes(1, 10s).outcome == Outcome::closed);
    const ExitStatus status = server.end();
    CHECK(status.code == 0);
    CHECK(status.at - askedAt <= 200ms + limit(2s));
    CHECK(server.summary().number("served") == 1);
}

TEST_CASE("03: a silent connection may still send its first request within the grace") {
    const HelloServer server({"--keepalive-grace", "5s"});
    Connection silent = server.connect();
    get(server.port(), "/healthz");
    server.stop();
    server.waitForEvent("drain.begin");
    silent.send(httpRequest("GET", "/hello?work=1ms"));
    CHECK(silent.readResponse(10s).status == 200);
    CHECK(server.end(3s).code == 0);
}

TEST_CASE("03: the end does not wait for the grace of clients that hang up") {
    const HelloServer server({"--keepalive-grace", "5s"});
    std::vector<Connection> connections;
    for (int i = 0; i < 10; ++i) {
        connections.push_back(server.idle());
    }
    server.stop();
    server.waitForEvent("drain.begin");
    connections.clear();
    CHECK(server.end(3s).code == 0);
}

TEST_CASE("03: an idle connection is no request in flight") {
    const HelloServer server;
    const Connection idle = server.idle();
    const Connection silent = server.connect();
    Connection working = server.working("/hello?work=100ms");
    server.stop();
    CHECK(server.waitForEvent("drain.begin").number("in_flight") == 1);
    CHECK(working.readResponse(10s).status == 200);
    CHECK(server.end().code == 0);
}

TEST_CASE("03: a grace of nothing closes idle connections at once") {
    const HelloServer server({"--keepalive-grace", "0s"});
    Connection connection = server.idle();
    const auto askedAt = server.stop();
    CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    const ExitStatus status = server.end();
    CHECK(status.code == 0);
    CHECK(status.at - askedAt <= limit(2s));
}

TEST_CASE("03: a deadline before the end of the grace closes idle connections and cuts nothing") {
    const HelloServer server({"--keepalive-grace", "1h", "--timeout", "100ms"});
    Connection connection = server.idle();
    const auto askedAt = server.stop();
    CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    const ExitStatus status = server.end();
    CHECK(status.code == 0);
    CHECK(status.at - askedAt <= 100ms + limit(2s));
    CHECK(server.summary().number("cut") == 0);
}

TEST_CASE("03: plain Poco closes an idle connection that it has told to stay open") {
    const HelloServer server({"--strategy", "stopall"});
    Connection connection = server.idle();
    Connection working = server.working("/hello?work=500ms"); // the process lives on meanwhile
    server.stop();
    CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    CHECK_FALSE(server.exitStatus());
    server.waitForExit(10s);
}
