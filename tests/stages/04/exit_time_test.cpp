#include "catch.h"
#include "moments.h"
#include "order_server.h"
#include "temp_dir.h"
#include "time_limit.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

// Medians: the promise is the server's, and a hiccup of the machine is not its doing.

TEST_CASE("04: four hooks and the end of the process come within 15 ms of the last answer") {
    const TempDir directory = TempDir::inMemory(); // storing syncs, and a disk takes what it takes
    std::vector<Clock::duration> times;
    for (int run = 0; run < 11; ++run) {
        const OrderServer server(directory.path() / "orders.db");
        REQUIRE(server.order().status == 202);
        Connection client = server.working("/hello?work=60ms");
        server.signal(SIGTERM);
        const Response answer = client.readResponse(10s);
        CHECK(answer.status == 200);
        const ExitStatus status = server.waitForExit(10s);
        CHECK(status.code == 0);
        times.push_back(status.at - answer.finishedAt);
    }
    INFO("median of 11: " << milliseconds(median(times)) << " ms");
    CHECK(median(times) <= limit(15ms));
}
