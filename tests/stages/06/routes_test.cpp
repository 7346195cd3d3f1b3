#include "catch.h"
#include "increment_server.h"
#include "time_limit.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("06: with respond-first the answer comes before the work is done") {
    const IncrementServer server({"--work=1h", "--timeout=100ms"});
    const Response answer = get(server.port(), "/incr");
    CHECK(answer.status == 200);
    CHECK(answer.body == "accepted\n");
    CHECK(get(server.port(), "/counter").body == "0\n");
}

TEST_CASE("06: with respond-last the answer comes when the counter is one higher") {
    const IncrementServer server({"--work=100ms", "--mode=respond-last"});
    const auto begin = Clock::now();
    const Response answer = get(server.port(), "/incr");
    CHECK(answer.status == 200);
    CHECK(answer.body == "counted\n");
    CHECK(answer.finishedAt - begin >= 100ms);
    CHECK(get(server.port(), "/counter").body == "1\n");
}

TEST_CASE("06: the service of the stages before is still there") {
    const IncrementServer server({"--work=1ms"});
    CHECK(get(server.port(), "/hello").body == "hello\n");
    CHECK(get(server.port(), "/healthz").status == 200);
    CHECK(get(server.port(), "/readyz").body == "ready\n");
    CHECK(get(server.port(), "/nope").status == 404);
    CHECK(get(server.port(), "/incr/").status == 404);
}

TEST_CASE("06: another method on incr and counter is 405 with Allow and counts nothing") {
    const IncrementServer server({"--work=0s"});
    for (const char* path : {"/incr", "/counter?x=1"}) {
        for (const char* method : {"POST", "DELETE", "PUT"}) {
            Connection connection = Connection::to(server.port());
            connection.send(httpRequest(method, path, {{"Connection", "close"}}));
            const Response answer = connection.readResponse(10s);
            CHECK(answer.status == 405);
            CHECK(answer.header("Allow") == "GET");
        }
    }
    CHECK(server.end().code == 0);
    CHECK(server.waitForEvent("counter.total").number("value") == 0);
}

TEST_CASE("06: more work than fits is refused and what was accepted is counted") {
    const IncrementServer server({"--jobs=2", "--work=1h", "--timeout=100ms"});
    CHECK(server.increment(2) == 2);
    const Response refused = get(server.port(), "/incr");
    CHECK(refused.status == 503);
    CHECK_FALSE(refused.header("Retry-After").empty());
    CHECK(server.end().code == 75);
    CHECK(server.summary().number("unapplied") == 2);
}
