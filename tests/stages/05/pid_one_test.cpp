#include "catch.h"
#include "http_client.h"
#include "pid_one.h"
#include "proc.h"
#include "process.h"
#include "skip.h"
#include "stage.h"

#include <signal.h>

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("05: as process 1 it refuses a restart with the reason and with stable-pid it does not") {
    if (!namespacesAreAllowed()) {
        skip("this system does not let us make a PID namespace");
        return;
    }
    {
        const Process outside(asPidOne(stage("05_hot_restart", {"--port=0", "--work=0s"})));
        const Event ready = outside.waitForEvent("ready");
        CHECK(ready.number("pid") == 1);
        const pid_t inside = firstChild(outside.pid());
        ::kill(inside, SIGHUP);
        CHECK(outside.waitForEvent("restart.refused").field("reason").find("use --control stable-pid") !=
              std::string::npos);
        CHECK(get(static_cast<int>(ready.number("port")), "/").body == "hello pid=1 generation=1\n");
        ::kill(inside, SIGTERM);
        CHECK(outside.waitForExit(30s).code == 0);
    }
    const Process outside(
        asPidOne(stage("05_hot_restart", {"--port=0", "--work=0s", "--control=stable-pid", "--rollback-window=0s"})));
    const auto port = static_cast<int>(outside.waitForEvent("ready").number("port"));
    const pid_t inside = firstChild(outside.pid());
    ::kill(inside, SIGHUP);
    outside.waitForEvent("worker.ended", 30s); // the old generation
    CHECK(get(port, "/").body.find("generation=2") != std::string::npos);
    ::kill(inside, SIGTERM);
    CHECK(outside.waitForExit(30s).code == 0);
}
