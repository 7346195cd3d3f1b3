#include "catch.h"
#include "preload.h"
#include "restart_server.h"

#include <filesystem>
#include <fstream>

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("05: TERM to an old generation that has logged its exit ends the service") {
    const TempDir directory;
    const auto victim = directory.path() / "pid";
    RestartServer server({"--rollback-window=100ms", "--keepalive-grace=0s"},
                         {.environment = preload(TERMINATED_AT_EXIT, {"TERMINATED_AT_EXIT=" + victim.string()})});
    std::ofstream(victim) << server->pid() << std::flush;
    server.restart(2);
    REQUIRE(eventually([&] { return !std::filesystem::exists(victim); }, 30s));
    CHECK(eventually([&] { return isRefused(server.port()); }, 20s)); // whoever has sent it knows no other pid
    CHECK(server->waitForExit(20s).code == 0);
    for (const pid_t pid : server.pids()) {
        CHECK(server.waitForEnd(pid));
    }
}
