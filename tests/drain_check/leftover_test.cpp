#include "catch.h"
#include "process.h"
#include "process_table.h"
#include "temp_dir.h"

#include <csignal>

using namespace lifecycle::test;
using namespace std::chrono_literals;

namespace {

/// A command that is hard to get rid of: a shell that ignores signals, a server behind it, and a
/// daemon in a session of its own whose parent has ended. The token is in the arguments of all.
std::vector<std::string> stubborn(const std::string& token) {
    return {"sh", "-c",
            "trap '' INT TERM HUP; (setsid sh -c 'sleep 1000; : " + token + "' &); " CARELESS_SERVER
            " stays {port} " + token + " & wait; wait"};
}

std::size_t alive(const std::string& token) {
    std::size_t count = 0;
    for (const ProcessEntry& process : processTable()) {
        const std::string arguments = commandLineOf(process.pid);
        const bool isTool = arguments.rfind(DRAIN_CHECK, 0) == 0;
        count += process.state != 'Z' && !isTool && arguments.find(token) != std::string::npos ? 1 : 0;
    }
    return count;
}

std::vector<std::string> checkIdleExit(const std::vector<std::string>& command) {
    std::vector<std::string> argv{DRAIN_CHECK, "--only=idle-exit", "--exit-limit=1m", "--"};
    argv.insert(argv.end(), command.begin(), command.end());
    return argv;
}

} // namespace

TEST_CASE("drain_check: an interrupted run leaves no process behind") {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
        CAPTURE(number);
        const TempDir folder;
        const std::string token = folder.path().filename();
        const Process tool(checkIdleExit(stubborn(token)));
        REQUIRE(eventually([&] { return alive(token) >= 3; }, 20s)); // shell, server, daemon
        tool.signal(number);
        CHECK(tool.waitForExit(20s).code == 128 + number);
        CHECK(eventually([&] { return alive(token) == 0; }, 5s));
    }
}

TEST_CASE("drain_check: a run to the end leaves no process behind") {
    const TempDir folder;
    const std::string token = folder.path().filename();
    const Process tool({DRAIN_CHECK, "--only=idle-exit", "--exit-limit=200ms", "--", "sh", "-c",
                        "(setsid sh -c 'sleep 1000; : " + token + "' &); exec " CARELESS_SERVER " stays {port} " +
                            token});
    CHECK(tool.waitForExit(30s).code == 1);
    CHECK(alive(token) == 0);
}

TEST_CASE("drain_check: killed itself it takes the server with it") {
    const TempDir folder;
    const std::string token = folder.path().filename();
    const Process tool(checkIdleExit({CARELESS_SERVER, "stays", "{port}", token}));
    REQUIRE(eventually([&] { return alive(token) >= 1; }, 20s));
    tool.signal(SIGKILL);
    tool.waitForExit(20s);
    CHECK(eventually([&] { return alive(token) == 0; }, 5s));
}
