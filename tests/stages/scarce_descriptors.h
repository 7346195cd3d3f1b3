#pragma once

#include "catch.h"
#include "http_client.h"
#include "process.h"

#include <sys/resource.h>

#include <csignal>
#include <string>
#include <vector>

namespace lifecycle::test {

/// Starts `command` with 6 to 30 descriptors, and checks that it either exits with 69 and says how many it needs, or
/// serves a client at `path` and shuts down with 0. Returns the smallest number with which it serves.
inline rlim_t checkScarceDescriptors(const std::vector<std::string>& command, const std::string& path) {
    using namespace std::chrono_literals;
    rlim_t enough = 0;
    int started = 0;
    int refused = 0;
    for (rlim_t limit = 6; limit <= 30; ++limit) {
        CAPTURE(limit);
        const Process server(command, {.environment = {"UBSAN_OPTIONS=halt_on_error=0", "ASAN_OPTIONS=detect_leaks=0"},
                                       .limits = {{RLIMIT_NOFILE, limit}}});
        REQUIRE(eventually([&] { return server.exitStatus() || !server.events("ready").empty(); }, 20s));
        if (const auto end = server.exitStatus()) {
            ++refused;
            CHECK(started == 0); // what is enough stays enough
            CHECK(end->code == 69);
            CHECK(server.events("ready").empty());
            CHECK_FALSE(server.standardError().empty());
            continue;
        }
        enough = ++started == 1 ? limit : enough;
        const int port = static_cast<int>(server.events("ready").front().number("port"));
        CHECK(get(port, "/healthz").status == 200);
        CHECK(get(port, path).status == 200);
        server.signal(SIGTERM);
        CHECK(server.waitForExit(10s).code == 0);
    }
    CHECK(refused > 0);
    CHECK(started > 0);
    return enough;
}

} // namespace lifecycle::test
