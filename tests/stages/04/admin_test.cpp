#include "admin_client.h"
#include "catch.h"
#include "order_fixture.h"

#include <algorithm>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

using Fixture = OrderFixture;

} // namespace

TEST_CASE("04: drainz shows the requests in flight and the hooks and the counters") {
    const Fixture fixture;
    REQUIRE(fixture.server.order().status == 202);
    fixture.server.waitForEvent("request.end"); // a moment after its answer
    const Connection client = fixture.server.working("/hello?work=10m&name=%22");
    const auto status = drainz(fixture.server);
    CHECK(status->getValue<std::string>("state") == "running");
    CHECK(status->isNull("cause"));
    CHECK(status->isNull("deadline_ms"));
    CHECK(status->isNull("exit_code"));
    REQUIRE(status->getArray("in_flight")->size() == 1);
    const auto request = status->getArray("in_flight")->getObject(0);
    CHECK(request->getValue<std::string>("method") == "GET");
    CHECK(request->getValue<std::string>("path") == "/hello?work=10m&name=%22");
    CHECK(request->getValue<std::string>("peer") == "127.0.0.1:" + std::to_string(client.localPort()));
    CHECK(request->getValue<std::string>("state") == "handling");
    CHECK(request->getValue<int>("age_ms") >= 0);
    CHECK(status->getObject("connections")->getValue<int>("handling") == 1);
    CHECK(status->getArray("hooks")->size() == 7);
    CHECK(status->getArray("hooks")->getObject(0)->getValue<std::string>("status") == "waiting");
    CHECK(status->getObject("counters")->getValue<int>("served") == 1);
    CHECK(status->getObject("counters")->getValue<int>("orders_acknowledged") == 1);
}

TEST_CASE("04: drainz follows the shutdown through its states") {
    const Fixture fixture({"--lame-duck=400ms", "--hook=orders:400ms", "--total-timeout=5m"});
    Connection client = fixture.server.working("/hello?work=1200ms");
    fixture.server.signal(SIGTERM);
    fixture.server.waitForEvent("lame_duck.begin");
    CHECK(stateOf(fixture.server) == "lame duck");
    fixture.server.waitForEvent("drain.begin");
    const auto draining = drainz(fixture.server);
    CHECK(draining->getValue<std::string>("state") == "draining");
    CHECK(draining->getValue<std::string>("cause") == "SIGTERM");
    CHECK(draining->getValue<int>("deadline_ms") > 299'000);
    CHECK(draining->getValue<int>("remaining_ms") > 200'000);
    CHECK(draining->getArray("hooks")->getObject(3)->getValue<std::string>("status") == "running");
    fixture.server.waitForEvent("drain.end");
    REQUIRE(eventually([&] { return stateOf(fixture.server) == "hooks"; }, 5s));
    CHECK(fixture.server.waitForExit(10s).code == 0);
}

TEST_CASE("04: the admin server answers to the last hook while the public one is gone") {
    const Fixture fixture({"--hook=report:500ms"});
    CHECK(fixture.server.admin("/readyz").status == 200);
    fixture.server.signal(SIGTERM);
    fixture.server.waitForEvent("hook.begin", 10s, [](const Event& event) { return event.field("name") == "report"; });
    CHECK(Connection::to(fixture.server.port()).error() == std::errc::connection_refused);
    for (const std::string path : {"/healthz", "/drainz", "/metrics", "/"}) {
        CHECK(fixture.server.admin(path).status == 200);
    }
    const Response readiness = fixture.server.admin("/readyz");
    CHECK(readiness.status == 503);
    CHECK(readiness.body == "shutting down\n");
    CHECK(fixture.server.waitForExit(10s).code == 0);
}

TEST_CASE("04: an event stream tells every state up to the exit code and then ends") {
    const Fixture fixture({"--lame-duck=300ms", "--hook=orders:300ms"});
    Connection client = fixture.server.working("/hello?work=700ms");
    Watcher watcher(fixture.server.adminPort());
    fixture.server.signal(SIGTERM);
    const Watcher::Seen seen = watcher.readToEnd(20s);
    CHECK(seen.outcome == Outcome::complete);
    // "running" only if the stream began before the signal was taken.
    std::vector<std::string> states = seen.states;
    states.erase(std::remove(states.begin(), states.end(), "running"), states.end());
    CHECK(states == std::vector<std::string>{"lame duck", "draining", "hooks", "stopped"});
    REQUIRE(seen.last);
    CHECK(seen.last->getValue<int>("exit_code") == 0);
    CHECK(fixture.server.waitForExit(10s).code == 0);
}

TEST_CASE("04: an event stream speaks at least twice a second though nothing happens") {
    const Fixture fixture;
    Watcher watcher(fixture.server.adminPort());
    REQUIRE(eventually([&] { return drainz(fixture.server)->getValue<int>("uptime_ms") > 2'000; }, 10s));
    fixture.server.signal(SIGTERM);
    CHECK(watcher.readToEnd(10s).events >= 5);
}

TEST_CASE("04: probes are answered while there are more event streams than threads for them") {
    const Fixture fixture;
    std::vector<Connection> streams;
    for (int i = 0; i < 80; ++i) {
        streams.push_back(Connection::to(fixture.server.adminPort()));
        streams.back().send(httpRequest("GET", "/events"));
    }
    CHECK(eventually([&] { return get(fixture.server.adminPort(), "/events", 300ms).status == 503; }, 10s));
    CHECK(fixture.server.admin("/readyz").status == 200);
    fixture.server.signal(SIGTERM);
    CHECK(fixture.server.waitForExit(10s).code == 0);
}

TEST_CASE("04: metrics are in the text format of Prometheus") {
    const Fixture fixture;
    REQUIRE(fixture.server.order().status == 202);
    const auto stored = [&] { return drainz(fixture.server)->getObject("counters")->getValue<int>("orders_stored"); };
    REQUIRE(eventually([&] { return stored() == 1; }, 5s));
    const Response answer = fixture.server.admin("/metrics");
    CHECK(answer.status == 200);
    CHECK(answer.header("Content-Type") == "text/plain; version=0.0.4");
    for (const std::string line :
         {"lifecycle_state{state=\"running\"} 1\n", "lifecycle_requests_total{end=\"served\"} 1\n",
          "lifecycle_orders_total{done=\"acknowledged\"} 1\n", "lifecycle_orders_total{done=\"stored\"} 1\n",
          "lifecycle_orders_waiting 0\n", "lifecycle_handler_calls_total 1\n",
          "# TYPE lifecycle_requests_total counter\n", "lifecycle_hook_seconds{hook=\"orders\"} 0\n"}) {
        CAPTURE(line);
        CHECK(answer.body.find(line) != std::string::npos);
    }
}

TEST_CASE("04: the page needs nothing from outside") {
    const Fixture fixture;
    const Response page = fixture.server.admin("/");
    CHECK(page.status == 200);
    CHECK(page.header("Content-Type") == "text/html; charset=utf-8");
    CHECK(page.header("Content-Security-Policy").find("default-src 'none'") == 0);
    CHECK(page.body.find("</html>") != std::string::npos);
    CHECK(page.body.find("src=\"http") == std::string::npos);
    CHECK(page.body.find("url(http") == std::string::npos);
}

TEST_CASE("04: no admin endpoint changes anything") {
    const Fixture fixture;
    for (const std::string path : {"/", "/readyz", "/healthz", "/drainz", "/events", "/metrics"}) {
        for (const std::string method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
            Connection client = Connection::to(fixture.server.adminPort());
            client.send(httpRequest(method, path, {{"Connection", "close"}}));
            const Response answer = client.readResponse(5s);
            CHECK(answer.status == 405);
            CHECK(answer.header("Allow") == "GET, HEAD");
        }
        Connection client = Connection::to(fixture.server.adminPort());
        client.send(httpRequest("HEAD", path, {{"Connection", "close"}}));
        CHECK(client.readResponse(5s, false).status == 200);
    }
    CHECK(fixture.server.admin("/quit").status == 404);
    CHECK(stateOf(fixture.server) == "running");
}

TEST_CASE("04: SIGUSR1 tells what blocks the shutdown at any time") {
    const Fixture fixture({"--timeout=1h", "--lame-duck=100ms"});
    const Connection client = fixture.server.working("/hello?work=10m");
    fixture.server.signal(SIGUSR1);
    const Event running = fixture.server.waitForEvent("status");
    CHECK(running.field("state") == "running");
    CHECK(running.number("in_flight") == 1);
    CHECK(fixture.server.waitForEvent("status.request").field("path") == "/hello?work=10m");

    fixture.server.signal(SIGTERM);
    fixture.server.waitForEvent("drain.begin");
    fixture.server.signal(SIGUSR1);
    const Event draining = fixture.server.waitForEvent(
        "status", 10s, [](const Event& event) { return event.field("state") == "draining"; });
    CHECK(draining.field("cause") == "SIGTERM");
    fixture.server.waitForEvent("status.hook", 10s, [](const Event& event) {
        return event.field("name") == "in-flight" && event.field("status") == "running";
    });
}

TEST_CASE("04: SIGUSR1 in any number neither ends nor confuses it") {
    const Fixture fixture;
    for (int i = 0; i < 200; ++i) {
        fixture.server.signal(SIGUSR1);
    }
    CHECK(fixture.server.order().status == 202);
    fixture.server.signal(SIGTERM);
    for (int i = 0; i < 200 && !fixture.server.exitStatus(); ++i) {
        fixture.server.signal(SIGUSR1);
    }
    CHECK(fixture.server.waitForExit(10s).code == 0);
}
