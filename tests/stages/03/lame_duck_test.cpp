#include "catch.h"
#include "hello_server.h"
#include "time_limit.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("03: new connections are served during the lame duck") {
    const HelloServer server({"--lame-duck", "1s"});
    server.stop();
    server.waitForEvent("lame_duck.begin");
    for (int i = 0; i < 10; ++i) {
        CHECK(get(server.port(), "/hello?work=1ms").status == 200);
    }
    CHECK(server.events("lame_duck.end").empty());
    CHECK(server.end().code == 0);
    CHECK(server.summary().number("served") == 10);
}

TEST_CASE("03: the lame duck lasts as long as the option says") {
    const HelloServer server({"--lame-duck", "300ms"});
    server.stop();
    const Event begin = server.waitForEvent("lame_duck.begin");
    const Event end = server.waitForEvent("lame_duck.end");
    CHECK(end.sinceStart - begin.sinceStart >= 299ms); // both are cut to whole milliseconds
    CHECK(end.sinceStart - begin.sinceStart <= 300ms + limit(2s));
    CHECK(server.end().code == 0);
}
