// What a server does when there is no memory.

#include "catch.h"
#include "concurrent_shutdown.h"
#include "no_memory.h"
#include "served.h"

#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// One failure after the other, at each of the first allocations of that thread for a new client.
void failEachInTurn(const char* thread) {
    constexpr int most = 60;
    int served = 0;
    int shed = 0;
    Served server(hello);
    for (int before = 0; before < most; ++before) {
        CAPTURE(before);
        {
            const NoMemory none(thread, before, 1);
            auto client = server.send(httpRequest("GET", "/", {{"X-Long", std::string(300, 'x')}}));
            const Response response = client.readResponse(10s);
            CHECK(response.outcome != Outcome::timeout);
            served += response.status == 200 ? 1 : 0;
            shed += response.status == 503 ? 1 : 0;
            CHECK(response.status != 400);
        }
        CHECK(get(server.port(), "/").status == 200); // the server goes on
    }
    CHECK(served > 0);
    CHECK(shed > 0);
    CHECK_FALSE(server.events().all("request.refused").empty());
    CHECK(server.events().all("request.refused").front().field("note") == "no memory left");
    CHECK(shutdownWithin(server, 10s).cut == 0);
}

} // namespace

TEST_CASE("library: without memory for a new connection its client is told 503 and the loop goes on") {
    failEachInTurn("http-loop");
}

TEST_CASE("library: without memory for a request its client is told 503 instead of 400, and the server goes on") {
    failEachInTurn("http-worker");
}

TEST_CASE("library: a shutdown of many idle connections takes no memory in the loop") {
    Served server(hello, {.keepAliveGrace = 50ms});
    std::vector<Connection> connections;
    for (int i = 0; i < 100; ++i) {
        connections.push_back(server.send(httpRequest("GET", "/")));
        REQUIRE(connections.back().readResponse(10s).keepsAlive());
    }
    REQUIRE(server.comesTo(lifecycle::ConnectionState::idle, connections.size()));
    const NoMemory none("http-loop", 0, 1'000'000);
    const lifecycle::ShutdownResult result = shutdownWithin(server, 10s);
    CHECK(result.clean());
    CHECK(result.idleClosed == connections.size());
}
