// Fewer descriptors than a generation needs, just enough, and too few for a second one.

#include "http_client.h"
#include "scarce_descriptors.h"
#include "stage.h"

#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

std::vector<std::string> command(const std::string& control) {
    return stage("05_hot_restart", {"--port", "0", "--work", "0s", "--keepalive-grace", "100ms", "--control", control});
}

} // namespace

TEST_CASE("05: with any number of descriptors it either serves or says at the start how many it needs") {
    const rlim_t enough = checkScarceDescriptors(command("parent-exits"), "/hello");

    const Process server(command("parent-exits"),
                         {.environment = {"UBSAN_OPTIONS=halt_on_error=0", "ASAN_OPTIONS=detect_leaks=0"},
                          .limits = {{RLIMIT_NOFILE, enough}}});
    const int port = static_cast<int>(server.waitForEvent("ready").number("port"));
    server.signal(SIGHUP); // for which there are too few
    server.waitForEvent("restart.failed", 20s);
    CHECK(get(port, "/hello").status == 200);
    server.signal(SIGTERM);
    CHECK(server.waitForExit(10s).code == 0);
}

TEST_CASE("05: with stable-pid and any number of descriptors it either serves or says at the start how many it needs") {
    checkScarceDescriptors(command("stable-pid"), "/hello");
}
