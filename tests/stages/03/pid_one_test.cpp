#include "catch.h"
#include "http_client.h"
#include "moments.h"
#include "pid_one.h"
#include "proc.h"
#include "process.h"
#include "skip.h"
#include "stage.h"

#include <signal.h>

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("03: as process 1 of a container it drains and a second signal forces") {
    if (!namespacesAreAllowed()) {
        skip("this system does not let us make a PID namespace");
        return;
    }
    const Process outside(asPidOne(stage("03_http_shutdown", {"--port=0", "--work=200ms"})));
    const Event ready = outside.waitForEvent("ready");
    CHECK(ready.number("pid") == 1);
    Connection client = Connection::to(static_cast<int>(ready.number("port")));
    client.send(httpRequest("GET", "/hello"));
    outside.waitForEvent("request.begin");
    ::kill(firstChild(outside.pid()), SIGTERM);
    CHECK(client.readResponse(10s).status == 200);
    CHECK(outside.waitForExit(10s).code == 0);

    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) {
        const Process hanging(asPidOne(stage("02_timeout", {"--work=1h", "--timeout=1h"})));
        CHECK(hanging.waitForEvent("ready").number("pid") == 1);
        const pid_t inside = firstChild(hanging.pid());
        ::kill(inside, number);
        waitUntil(hanging.waitForEvent("signal").arrivedAt + 50ms);
        ::kill(inside, number);
        CHECK(hanging.waitForExit(10s).code == 128 + number);
    }
}
