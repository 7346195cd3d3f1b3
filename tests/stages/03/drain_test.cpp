#include "catch.h"
#include "hello_server.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("03: drain waits for the in-flight request") {
    for (const int number : {SIGINT, SIGTERM}) {
        const HelloServer server;
        Connection client = server.working("/hello?work=300ms");
        server.stop(number);
        const Response answer = client.readResponse(10s);
        CHECK(answer.status == 200);
        CHECK(answer.body == "hello\n");
        CHECK(answer.header("Connection") == "close");
        CHECK(client.readBytes(1, 5s).outcome == Outcome::closed);
        CHECK(server.end().code == 0);
        CHECK(server.summary().number("served") == 1);
    }
}

TEST_CASE("03: new connections are refused while a request is in flight") {
    const HelloServer server;
    Connection client = server.working("/hello?work=500ms");
    server.stop();
    server.waitForEvent("listener.closed");
    CHECK(Connection::to(server.port()).error() == std::errc::connection_refused);
    CHECK(client.readResponse(10s).status == 200);
    CHECK(server.end().code == 0);
}

TEST_CASE("03: a hundred requests in flight all finish") {
    const HelloServer server;
    std::vector<Connection> clients;
    for (int i = 0; i < 100; ++i) {
        clients.push_back(server.connect());
        clients.back().send(httpRequest("GET", "/hello?work=" + std::to_string(200 + i) + "ms"));
    }
    REQUIRE(eventually([&] { return server.events("request.begin").size() == 100; }, 10s));
    server.stop();
    for (Connection& client : clients) {
        CHECK(client.readResponse(10s).status == 200);
    }
    CHECK(server.end().code == 0);
    CHECK(server.summary().number("served") == 100);
}

TEST_CASE("03: a request that is still arriving is finished too") {
    const HelloServer server;
    Connection client = server.connect();
    client.send("GET /hello?work=1ms HTTP/1.1\r\nHost: ");
    Connection other = server.working("/hello?work=50ms"); // later, so the half header is known
    server.stop();
    server.waitForEvent("drain.begin");
    client.send("localhost\r\n\r\n");
    const Response answer = client.readResponse(10s);
    CHECK(answer.status == 200);
    CHECK(answer.header("Connection") == "close");
    CHECK(other.readResponse(10s).status == 200);
    CHECK(server.end().code == 0);
    CHECK(server.summary().number("served") == 2);
}

TEST_CASE("03: a signal to an idle server ends it with 0") {
    const HelloServer server({"--timeout", "0s"});
    server.stop();
    CHECK(server.end().code == 0);
    CHECK(server.events("deadline.hit").empty());
    CHECK(server.waitForEvent("drain.begin").number("in_flight") == 0);
}
