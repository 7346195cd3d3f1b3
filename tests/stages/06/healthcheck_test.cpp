#include "catch.h"
#include "increment_server.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

struct Health {
    int code;
    std::string said;
};

Health healthOf(int port, const std::string& address = "127.0.0.1") {
    const Process check(stage(
        "06_docker", {"--healthcheck", "--address=" + address, "--port=" + std::to_string(port)}));
    return {check.waitForExit(20s).code, check.standardOutput()};
}

} // namespace

TEST_CASE("06: the healthcheck follows readiness through the lame duck to the end") {
    const IncrementServer server({"--lame-duck=1h"});
    CHECK(healthOf(server.port()).code == 0);
    CHECK(healthOf(server.port()).said == "200 ready\n");
    server.signal(SIGTERM);
    server.waitForEvent("lame_duck.begin");
    const Health lameDuck = healthOf(server.port());
    CHECK(lameDuck.code == 1);
    CHECK(lameDuck.said == "503 shutting down\n");
    server.signal(SIGKILL);
    server.waitForExit(20s);
    const Health gone = healthOf(server.port());
    CHECK(gone.code == 1);
    CHECK(gone.said.find("refused") != std::string::npos);
}

TEST_CASE("06: the healthcheck of a server on all addresses asks the loopback") {
    const IncrementServer server({"--address=0.0.0.0"});
    CHECK(healthOf(server.port(), "0.0.0.0").code == 0);
}

TEST_CASE("06: the healthcheck of a server that does not answer fails in time") {
    const IncrementServer server;
    server.signal(SIGSTOP);
    CHECK(healthOf(server.port()).code == 1); // it waits 2 s, and this test 20
    server.signal(SIGCONT);
}
