#include "catch.h"
#include "hello_server.h"
#include "moments.h"
#include "time_limit.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("03: 50 ms after the lame duck a connect is refused at once") {
    const HelloServer server({"--lame-duck", "100ms"});
    Connection inFlight = server.working("/hello?work=500ms");
    get(server.port(), "/healthz"); // arrivals are recent: the listener closes the careful way
    server.stop();
    waitUntil(server.waitForEvent("lame_duck.end").arrivedAt + 50ms);
    for (int i = 0; i < 20; ++i) {
        const auto begin = Clock::now();
        const Connection late = Connection::to(server.port());
        CHECK(late.error() == std::errc::connection_refused);
        CHECK(Clock::now() - begin < limit(100ms)); // at once: no retry, which comes after 1 s
    }
    CHECK(inFlight.readResponse(10s).status == 200);
    CHECK(server.end().code == 0);
}

TEST_CASE("03: a server without lame duck refuses a connect 50 ms after the signal") {
    const HelloServer server;
    Connection inFlight = server.working("/hello?work=700ms");
    waitUntil(server.stop() + limit(50ms));
    CHECK(Connection::to(server.port()).error() == std::errc::connection_refused);
    CHECK(inFlight.readResponse(10s).status == 200);
    CHECK(server.events("lame_duck.begin").empty());
    CHECK(server.end().code == 0);
}
