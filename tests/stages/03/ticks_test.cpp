// Streams without an end: they end when the shutdown is announced, if they listen.

#include "catch.h"
#include "hello_server.h"

#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// Clients whose stream has begun.
std::vector<Connection> readers(const HelloServer& server, int count) {
    std::vector<Connection> all;
    for (int i = 0; i < count; ++i) {
        all.push_back(server.connect());
        all.back().send(httpRequest("GET", "/ticks"));
    }
    for (Connection& reader : all) {
        REQUIRE(reader.readBytes(100, 20s).outcome == Outcome::complete);
    }
    return all;
}

bool endsProperly(Connection& reader) {
    return reader.readBytes(1'000'000, 10s).bytes.ends_with("retry: 100\ndata: goodbye\n\n\r\n0\r\n\r\n");
}

} // namespace

TEST_CASE("03: two hundred event streams end properly, and without listening are cut at the deadline") {
    constexpr int count = 200;
    SECTION("listening") {
        const HelloServer server;
        std::vector<Connection> all = readers(server, count);
        server.stop();
        for (Connection& reader : all) {
            CHECK(endsProperly(reader));
        }
        CHECK(server.end().code == 0);
        CHECK(server.summary().number("served") == count);
    }
    SECTION("deaf") {
        const HelloServer server({"--deaf", "--timeout", "300ms"});
        std::vector<Connection> all = readers(server, count);
        server.stop();
        for (Connection& reader : all) {
            CHECK_FALSE(endsProperly(reader));
        }
        CHECK(server.end().code == 75);
        CHECK(server.summary().number("cut") == count);
    }
}

TEST_CASE("03: event streams are told at the beginning of the lame duck") {
    const HelloServer server({"--lame-duck", "30s"});
    Connection reader = std::move(readers(server, 1).front());
    server.stop();
    CHECK(endsProperly(reader));
    CHECK(server.events("lame_duck.end").empty());
    server.signal(SIGINT); // forces the exit
    CHECK(server.waitForExit(10s).code == 130);
}

TEST_CASE("03: a client that has left its event stream does not hold the shutdown") {
    const HelloServer server({"--deaf"});
    readers(server, 1).front().close();
    server.waitForEvent("request.end");
    server.stop();
    CHECK(server.end().code == 0);
}

TEST_CASE("03: an event stream has no body for HEAD and no chunks for HTTP 1.0") {
    const HelloServer server;
    Connection head = server.connect();
    head.send(httpRequest("HEAD", "/ticks"));
    const Response response = head.readResponse(10s, false);
    CHECK(response.status == 200);
    CHECK(response.header("Content-Type") == "text/event-stream");
    Connection old = server.connect();
    old.send("GET /ticks HTTP/1.0\r\n\r\n");
    CHECK(old.readBytes(100, 10s).bytes.find("Transfer-Encoding") == std::string::npos);
    server.stop();
    CHECK(old.readBytes(1'000'000, 10s).bytes.ends_with("data: goodbye\n\n"));
    CHECK(server.end().code == 0);
}
