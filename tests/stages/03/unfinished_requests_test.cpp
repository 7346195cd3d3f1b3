#include "catch.h"
#include "hello_server.h"
#include "moments.h"
#include "time_limit.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("03: half a header does not delay the end beyond the deadline and is no lost work") {
    const HelloServer server({"--timeout", "300ms"});
    Connection client = server.connect();
    client.send("GET /hello HTTP/1.1\r\nHost: loc");
    get(server.port(), "/healthz"); // when this is answered the half header has been seen
    const auto askedAt = server.stop();
    CHECK(client.readBytes(1, 10s).outcome == Outcome::closed);
    const ExitStatus status = server.end();
    CHECK(status.code == 0);
    CHECK(status.at - askedAt <= 300ms + limit(2s));
    CHECK(server.summary().number("cut") == 0);
}

TEST_CASE("03: one byte at a time does not delay the end beyond the deadline") {
    const HelloServer server({"--timeout", "500ms"});
    Connection client = server.connect();
    client.send("GET /hello HTTP/1.1\r\nX: ");
    const auto askedAt = server.stop();
    while (staysAlive(server, 50ms) && Clock::now() - askedAt < 10s) {
        client.send("a");
    }
    const ExitStatus status = server.end();
    CHECK(status.code == 0);
    CHECK(status.at - askedAt <= 500ms + limit(2s));
}

TEST_CASE("03: a request sent byte by byte is served during the drain") {
    const HelloServer server;
    Connection other = server.working("/hello?work=300ms");
    Connection client = server.connect();
    client.send("G");
    server.stop();
    server.waitForEvent("drain.begin");
    for (const char c : httpRequest("GET", "/hello?work=1ms").substr(1)) {
        client.send(std::string(1, c));
    }
    CHECK(client.readResponse(10s).status == 200);
    CHECK(other.readResponse(10s).status == 200);
    CHECK(server.end().code == 0);
}

TEST_CASE("03: a client that hangs up within its header is forgotten") {
    const HelloServer server;
    Connection client = server.connect();
    client.send("GET /hello HT");
    Connection halfClosed = server.connect();
    halfClosed.send("GET /hello HTTP/1.1\r\nHo");
    halfClosed.halfClose();
    client.close();
    CHECK(halfClosed.readBytes(1, 10s).outcome == Outcome::closed);
    const auto askedAt = server.stop();
    const ExitStatus status = server.end();
    CHECK(status.code == 0);
    CHECK(status.at - askedAt <= limit(2s));
    CHECK(server.summary().number("served") == 0);
}

TEST_CASE("03: a request whose sender has closed its side is answered") {
    const HelloServer server;
    Connection client = server.connect();
    client.send(httpRequest("GET", "/hello?work=100ms"));
    client.halfClose();
    CHECK(client.readResponse(10s).status == 200);
    server.stop();
    CHECK(server.end().code == 0);
}
