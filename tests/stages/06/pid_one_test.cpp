#include "catch.h"
#include "http_client.h"
#include "moments.h"
#include "pid_one.h"
#include "proc.h"
#include "process.h"
#include "skip.h"
#include "stage.h"

#include <signal.h>

#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("06: as process 1 it waits for its work whatever else a container is sent") {
    if (!namespacesAreAllowed()) {
        skip("this system does not let us make a PID namespace");
        return;
    }
    const Process outside(asPidOne(stage("06_docker", {"--port=0", "--work=300ms"})));
    const Event ready = outside.waitForEvent("ready");
    CHECK(ready.number("pid") == 1);
    const int port = static_cast<int>(ready.number("port"));
    CHECK(get(port, "/incr").status == 200);
    const pid_t inside = firstChild(outside.pid());
    for (const int number : {SIGUSR1, SIGUSR2, SIGWINCH}) {
        ::kill(inside, number);
    }
    CHECK(get(port, "/healthz").status == 200);
    ::kill(inside, SIGQUIT); // docker run --stop-signal SIGQUIT
    CHECK(outside.waitForExit(20s).code == 0);
    CHECK(outside.waitForEvent("counter.total").number("value") == 1);
}

TEST_CASE("06: TERM before process 1 is loaded waits if the entrypoint has blocked it and is dropped otherwise") {
    if (!namespacesAreAllowed()) {
        skip("this system does not let us make a PID namespace");
        return;
    }
    const auto signalled = afterShell("kill -TERM $$", stage("06_docker", {"--port=0", "--work=1ms"}));
    std::vector<std::string> blocked{"env", "--block-signal=HUP,INT,QUIT,TERM"}; // as in the Dockerfile
    blocked.insert(blocked.end(), signalled.begin(), signalled.end());
    const Process waits(asPidOne(blocked));
    CHECK(waits.waitForExit(20s).code == 0);
    CHECK(waits.waitForEvent("signal").field("name") == "SIGTERM");

    const Process drops(asPidOne(signalled));
    CHECK(get(static_cast<int>(drops.waitForEvent("ready").number("port")), "/healthz").status == 200);
    CHECK(drops.events("signal").empty());
}

TEST_CASE("06: as process 1 a second signal forces the end") {
    if (!namespacesAreAllowed()) {
        skip("this system does not let us make a PID namespace");
        return;
    }
    const Process outside(asPidOne(stage("06_docker", {"--port=0", "--work=1h", "--timeout=1h"})));
    CHECK(get(static_cast<int>(outside.waitForEvent("ready").number("port")), "/incr").status ==
          200);
    const pid_t inside = firstChild(outside.pid());
    ::kill(inside, SIGTERM);
    waitUntil(outside.waitForEvent("signal").arrivedAt + 60ms);
    ::kill(inside, SIGTERM);
    CHECK(outside.waitForExit(10s).code == 128 + SIGTERM);
}
