// Whoever looks on does not hold up the end.

#include "admin_client.h"
#include "catch.h"
#include "order_fixture.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

using Fixture = OrderFixture;

Clock::time_point arrivalOf(const OrderServer& server, const std::string& word) {
    return server.waitForEvent(word).arrivedAt;
}

} // namespace

TEST_CASE("04: open event streams delay the exit by no more than 100 ms") {
    const Fixture fixture;
    std::vector<Watcher> watchers;
    for (int i = 0; i < 20; ++i) {
        watchers.emplace_back(fixture.server.adminPort());
    }
    REQUIRE(eventually([&] { return stateOf(fixture.server) == "running"; }, 5s));
    fixture.server.signal(SIGTERM);
    const ExitStatus status = fixture.server.waitForExit(10s);
    CHECK(status.code == 0);
    CHECK(status.at - arrivalOf(fixture.server, "shutdown.end") < 100ms * slower);
    for (Watcher& watcher : watchers) {
        CHECK(watcher.readToEnd(5s).last->getValue<std::string>("state") == "stopped");
    }
}

TEST_CASE("04: an event stream that nobody reads delays the exit by no more than 100 ms") {
    const Fixture fixture;
    // Many requests in flight make events large, and a small window is soon full of them.
    std::vector<Connection> requests;
    for (int i = 0; i < 100; ++i) {
        requests.push_back(fixture.server.working("/hello?work=10m&x=" + std::string(2000, 'x')));
    }
    const Watcher deaf(fixture.server.adminPort(), {.receiveBuffer = 2048});
    REQUIRE(eventually([&] { return drainz(fixture.server)->getValue<int>("uptime_ms") > 4'000; }, 20s));
    for (Connection& request : requests) {
        request.reset();
    }
    fixture.server.signal(SIGTERM);
    const Event end = fixture.server.waitForEvent("shutdown.end", 30s);
    const ExitStatus status = fixture.server.waitForExit(10s);
    CHECK(status.at - end.arrivedAt < 100ms * slower);
}

TEST_CASE("04: idle keep-alive connections to the admin server delay the exit by no more than 100 ms") {
    const Fixture fixture;
    std::vector<Connection> idle;
    for (int i = 0; i < 20; ++i) {
        idle.push_back(Connection::to(fixture.server.adminPort()));
        idle.back().send(httpRequest("GET", "/healthz"));
        REQUIRE(idle.back().readResponse(5s).keepsAlive());
    }
    idle.push_back(Connection::to(fixture.server.adminPort())); // one that never says a word
    fixture.server.signal(SIGTERM);
    const ExitStatus status = fixture.server.waitForExit(10s);
    CHECK(status.code == 0);
    CHECK(status.at - arrivalOf(fixture.server, "shutdown.end") < 100ms * slower);
}
