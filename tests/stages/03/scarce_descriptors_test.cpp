// Fewer descriptors than a server needs, and just enough.

#include "catch.h"
#include "http_client.h"
#include "process.h"
#include "stage.h"

#include <csignal>
#include <string>

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("03: with any number of descriptors it either serves or says at the start how many it needs") {
    int started = 0;
    int refused = 0;
    for (rlim_t limit = 6; limit <= 18; ++limit) {
        CAPTURE(limit);
        const Process server(stage("03_http_shutdown", {"--port", "0", "--timeout", "5s"}),
                             {.environment = {"UBSAN_OPTIONS=halt_on_error=0", "ASAN_OPTIONS=detect_leaks=0"},
                              .limits = {{RLIMIT_NOFILE, limit}}});
        REQUIRE(eventually([&] { return server.exitStatus() || !server.events("ready").empty(); }, 10s));
        if (const auto end = server.exitStatus()) {
            ++refused;
            CHECK(started == 0); // what is enough stays enough
            CHECK(end->code == 69);
            CHECK(server.events("ready").empty());
            continue;
        }
        ++started;
        const int port = static_cast<int>(server.events("ready").front().number("port"));
        CHECK(get(port, "/healthz").status == 200);
        CHECK(get(port, "/hello?work=0ms").status == 200);
        server.signal(SIGTERM);
        CHECK(server.waitForExit(10s).code == 0);
    }
    CHECK(refused > 0);
    CHECK(started > 0);
}
