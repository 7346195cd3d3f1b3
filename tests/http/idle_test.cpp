// What happens to many idle connections when their server shuts down.

#include "catch.h"
#include "concurrent_shutdown.h"
#include "served.h"
#include "time_limit.h"

#include <algorithm>
#include <future>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::ConnectionState;

namespace {

/// Keep-alive connections that have had a response.
std::vector<Connection> idleConnections(const Served& server, std::size_t count) {
    std::vector<Connection> connections;
    for (std::size_t i = 0; i < count; ++i) {
        connections.push_back(server.send(httpRequest("GET", "/")));
        REQUIRE(connections.back().readResponse(10s).keepsAlive());
    }
    return connections;
}

} // namespace

TEST_CASE("library: many idle connections are not closed at one moment") {
    constexpr std::size_t count = 200;
    constexpr auto grace = 1800ms; // an eighth of it is more than a busy machine takes away in one piece
    Served server(hello, {.keepAliveGrace = grace});
    auto connections = idleConnections(server, count);
    REQUIRE(server.comesTo(ConnectionState::idle, count));
    std::vector<std::future<ReadResult>> ends; // read concurrently: each end is seen when it comes
    for (Connection& connection : connections) {
        ends.push_back(std::async(std::launch::async, [&connection] { return connection.readBytes(1, 20s); }));
    }
    const auto begin = Clock::now();
    Shutdown shutdown(server);

    std::vector<Clock::duration> closed;
    for (auto& end : ends) {
        const ReadResult result = end.get();
        CHECK(result.outcome == Outcome::closed);
        closed.push_back(result.finishedAt - begin);
    }
    const auto longestIdle = closed.front();
    std::sort(closed.begin(), closed.end());
    const auto middle = closed[count / 2];
    CHECK(longestIdle < middle);
    CHECK(closed.front() >= grace / 2);
    CHECK(closed.front() <= grace * 3 / 4);
    CHECK(middle - closed.front() >= grace / 8);
    CHECK(closed.back() - middle >= grace / 8);
    CHECK(closed.back() >= grace);
    CHECK(shutdown.result().idleClosed == count);
}

TEST_CASE("library: each of a few idle connections has the whole grace") {
    constexpr auto grace = 300ms;
    Served server(hello, {.keepAliveGrace = grace});
    auto connections = idleConnections(server, 20);
    REQUIRE(server.comesTo(ConnectionState::idle, connections.size()));
    const auto begin = Clock::now();
    Shutdown shutdown(server);
    for (Connection& connection : connections) {
        const ReadResult end = connection.readBytes(1, 10s);
        CHECK(end.outcome == Outcome::closed);
        CHECK(end.finishedAt - begin >= grace);
    }
}
