#include "catch.h"
#include "increment_server.h"
#include "load.h"
#include "moments.h"

#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

long long total(const IncrementServer& server) {
    return server.waitForEvent("counter.total").number("value");
}

} // namespace

TEST_CASE("06: work in the background is awaited and the naive end loses it") {
    const IncrementServer graceful({"--work=500ms"});
    CHECK(graceful.increment(20) == 20);
    CHECK(graceful.end().code == 0);
    CHECK(total(graceful) == 20);
    CHECK(graceful.summary().number("applied") == 20);
    CHECK(graceful.summary().number("unapplied") == 0);

    for (const int number : {SIGHUP, SIGQUIT}) {
        const IncrementServer other({"--work=200ms"});
        CHECK(other.increment(5) == 5);
        CHECK(other.end(number).code == 0);
        CHECK(total(other) == 5);
    }

    const IncrementServer naive({"--work=1h", "--naive"});
    CHECK(naive.increment(20) == 20);
    CHECK(naive.end().code == 0); // it thinks that all is well
    CHECK(total(naive) == 0);
    CHECK(naive.summary().number("unapplied") == 20);
}

TEST_CASE("06: under load every 200 is in the counter when the process has ended and not with the naive end") {
    for (int round = 0; round < 3; ++round) {
        const IncrementServer server({"--work=100ms", "--lame-duck=50ms", "--timeout=30s"});
        LoadClients load(
            {.port = server.port(), .clients = 8, .target = "/incr", .thinkTime = 2ms});
        REQUIRE(eventually([&] { return load.answered() > 100; }, 20s));
        CHECK(server.end().code == 0);
        const LoadResult result = load.wait();
        CHECK(result.lost == 0);
        CHECK(total(server) == static_cast<long long>(result.answeredWith(200)));
    }

    const IncrementServer naive({"--work=1s", "--lame-duck=50ms", "--timeout=30s", "--naive"});
    LoadClients load({.port = naive.port(), .clients = 8, .target = "/incr", .thinkTime = 2ms});
    REQUIRE(eventually([&] { return load.answered() > 100; }, 20s));
    CHECK(naive.end().code == 0);
    CHECK(total(naive) < static_cast<long long>(load.wait().answeredWith(200)));
}

TEST_CASE("06: the end comes in its order with Redis behind the work") {
    const IncrementServer server({"--work=300ms", "--lame-duck=100ms"});
    CHECK(server.increment() == 1);
    CHECK(server.end().code == 0);
    std::vector<std::string> words;
    for (const Event& event : server.events()) {
        if (event.word.rfind("request.", 0) != 0 && event.word.find(".waiting") == std::string::npos) {
            words.push_back(event.word);
        }
    }
    const std::vector<std::string> order{
        "plan",          "plan.total",      "ready",         "signal",          "shutdown.begin",
        "readiness.off", "lame_duck.begin", "lame_duck.end", "listener.closed", "drain.begin",
        "drain.end",     "jobs.begin",      "jobs.end",      "counter.total",   "shutdown.end",
        "exit"};
    CHECK(words == order);
}

TEST_CASE("06: in the lame duck it serves on and says that it is not ready") {
    const IncrementServer server({"--work=10ms", "--lame-duck=1h"});
    server.signal(SIGTERM);
    server.waitForEvent("lame_duck.begin");
    CHECK(get(server.port(), "/readyz").status == 503);
    CHECK(server.increment() == 1);
    CHECK(eventually([&] { return get(server.port(), "/counter").body == "1\n"; }, 20s));
}

TEST_CASE("06: an idle client may send one more request within the grace") {
    const IncrementServer server({"--keepalive-grace=5s", "--work=10ms"});
    Connection client = Connection::to(server.port());
    client.send(httpRequest("GET", "/incr"));
    REQUIRE(client.readResponse(10s).keepsAlive());
    server.signal(SIGTERM);
    server.waitForEvent("drain.begin");
    client.send(httpRequest("GET", "/incr"));
    CHECK(client.readResponse(10s).header("Connection") == "close");
    CHECK(server.waitForExit(4s).code == 0); // it ends with its last client
    CHECK(total(server) == 2);
}

TEST_CASE("06: at the deadline work that is left is counted and named and the exit code is 75") {
    const IncrementServer server({"--work=1h", "--timeout=300ms"});
    CHECK(server.increment(3) == 3);
    const auto begin = Clock::now();
    const ExitStatus status = server.end();
    CHECK(status.code == 75);
    CHECK(status.at - begin >= 300ms);
    CHECK(status.at - begin < 30s);
    CHECK(server.waitForEvent("deadline.hit").number("cut") == 3);
    CHECK(server.summary().number("unapplied") == 3);
    CHECK(server.summary().field("note") == "lost");
    CHECK(total(server) == 0);
}

TEST_CASE("06: requests and work in the background share one deadline") {
    const IncrementServer server({"--work=1h", "--timeout=1500ms"});
    CHECK(server.increment() == 1);
    Connection client = Connection::to(server.port());
    client.send(httpRequest("GET", "/hello"));
    server.waitForEvent("request.begin", 20s,
                        [](const Event& event) { return event.field("path") == "/hello"; });
    CHECK(server.end().code == 75);
    CHECK(server.events("jobs.begin").size() == 1);
    CHECK(server.events("jobs.waiting").empty()); // the request has used up the time of both
    CHECK(server.summary().number("cut") == 1);
    CHECK(server.summary().number("unapplied") == 1);
}

TEST_CASE("06: with respond-last what the deadline cuts is a request and its client sees it") {
    const IncrementServer server({"--work=1h", "--timeout=300ms", "--mode=respond-last"});
    Connection client = Connection::to(server.port());
    client.send(httpRequest("GET", "/incr"));
    server.waitForEvent("request.begin");
    CHECK(server.end().code == 75);
    CHECK(server.summary().number("cut") == 1);
    CHECK(server.summary().number("unapplied") == 0);
    CHECK(client.readResponse(5s).outcome != Outcome::complete);
}

TEST_CASE("06: while it waits it tells once a second what for") {
    const IncrementServer server({"--work=1h", "--timeout=3500ms"});
    CHECK(server.increment(2) == 2);
    CHECK(server.end().code == 75);
    const std::vector<Event> waiting = server.events("jobs.waiting");
    REQUIRE(waiting.size() >= 2);
    CHECK(waiting.size() <= 3);
    CHECK(waiting[0].number("in_flight") == 2);
    CHECK(waiting[0].has("remaining"));
}

TEST_CASE("06: it ends soon after the last work is done") {
    const IncrementServer server({"--work=300ms", "--timeout=1h"});
    CHECK(server.increment() == 1);
    const auto answered = Clock::now();
    CHECK(server.end().at - answered < 10s);
}

TEST_CASE("06: a second signal forces the end and tells what is lost") {
    bool told = false;
    for (int attempt = 0; attempt < 10 && !told; ++attempt) { // the last words have 20 ms, no more
        const IncrementServer server({"--work=1h", "--timeout=1h"});
        CHECK(server.increment() == 1);
        server.signal(SIGTERM);
        waitUntil(server.waitForEvent("signal").arrivedAt + 60ms);
        CHECK(server.end().code == 128 + SIGTERM);
        for (const Event& lost : server.events("jobs.lost")) {
            told = lost.number("unapplied") == 1;
        }
    }
    CHECK(told);
}
