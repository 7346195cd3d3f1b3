#include "catch.h"
#include "hello_server.h"
#include "moments.h"
#include "stopped_thread.h"
#include "time_limit.h"

#include <set>

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("03: what runs at the deadline is cut and the exit code is 75") {
    const HelloServer server({"--timeout", "200ms"});
    Connection client = server.working("/hello?work=10m");
    server.stop();
    const Response answer = client.readResponse(10s);
    CHECK(answer.outcome == Outcome::closed);
    CHECK(server.end().code == 75);
    CHECK(server.waitForEvent("deadline.hit").number("cut") == 1);
    CHECK(server.summary().number("served") == 0);
    CHECK(server.summary().number("cut") == 1);
}

TEST_CASE("03: a handler that hangs and hears of nothing cannot hold the process") {
    if (!StoppedThread::allowed()) {
        return;
    }
    const HelloServer server({"--timeout", "300ms", "--threads", "1"}); // with more, another one would wait for clients
    Connection client = server.working("/hello?work=10m");
    const std::set<pid_t> handlers = threadsOf(server.pid(), "http-worker");
    REQUIRE(handlers.size() == 1);
    const StoppedThread hanging(server, *handlers.begin());
    const auto askedAt = server.stop();
    const ExitStatus status = server.end();
    CHECK(status.code == 75);
    CHECK(status.at - askedAt < 5s); // and not when it ends, in ten minutes
    CHECK(server.summary().number("cut") == 1);
    CHECK(client.readResponse(5s).outcome == Outcome::closed);
}

TEST_CASE("03: requests in line for a thread are cut at the deadline as well") {
    const HelloServer server({"--timeout", "200ms", "--threads", "2"});
    std::vector<Connection> clients;
    for (int i = 0; i < 5; ++i) {
        clients.push_back(server.connect());
        clients.back().send(httpRequest("GET", "/hello?work=10m"));
    }
    REQUIRE(eventually([&] { return server.events("request.begin").size() == 2; }, 10s));
    server.stop();
    for (Connection& client : clients) {
        CHECK(client.readResponse(10s).status == 0);
    }
    CHECK(server.end().code == 75);
    CHECK(server.summary().number("cut") == 5);
}

TEST_CASE("03: what ends before the deadline is served and only the rest is cut") {
    const HelloServer server({"--timeout", "500ms"});
    Connection quick = server.working("/hello?work=100ms");
    Connection slow = server.working("/hello?work=10m");
    server.stop();
    CHECK(quick.readResponse(10s).status == 200);
    CHECK(slow.readResponse(10s).outcome == Outcome::closed);
    CHECK(server.end().code == 75);
    CHECK(server.summary().number("served") == 1);
    CHECK(server.summary().number("cut") == 1);
}

TEST_CASE("03: the time to the deadline begins at the end of the lame duck") {
    const HelloServer server({"--lame-duck", "300ms", "--timeout", "300ms"});
    Connection client = server.working("/hello?work=10m");
    const auto askedAt = server.stop();
    CHECK(client.readResponse(10s).outcome == Outcome::closed);
    const ExitStatus status = server.end();
    CHECK(status.code == 75);
    CHECK(status.at - askedAt >= 600ms);
    CHECK(status.at - askedAt <= 600ms + limit(2s));
}

TEST_CASE("03: a timeout of nothing cuts at once") {
    const HelloServer server({"--timeout", "0s"});
    Connection client = server.working("/hello?work=10m");
    const auto askedAt = server.stop();
    const ExitStatus status = server.end();
    CHECK(status.code == 75);
    CHECK(status.at - askedAt <= limit(2s));
    CHECK(client.readResponse(10s).outcome == Outcome::closed);
}
