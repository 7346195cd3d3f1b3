#include "catch.h"
#include "proc.h"
#include "restart_server.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("05: 500 restarts under load lose nothing") {
    RestartServer server({"--rollback-window=0s"});
    const auto sockets = listeningSockets(server.pid());
    LoadResult all;
    int generation = 1;
    for (int round = 0; round < 50; ++round) { // clients of their own, so that one round is short
        CAPTURE(round);
        LoadPlan plan = postingClients(server.port(), 16, 2ms);
        plan.keepAlive = round % 2 == 0;
        LoadClients load(plan);
        for (int restart = 0; restart < 10; ++restart) {
            const std::size_t answered = load.answered();
            const pid_t old = server.pid();
            server.restart(++generation);
            REQUIRE(eventually([&] { return load.answered() > answered + 20; }, 60s));
            REQUIRE(server.waitForEnd(old, 60s));
        }
        load.stop();
        all.add(load.wait());
        CHECK(listeningSockets(server.pid()) == sockets);
    }
    checkNothingLost(all);
    WARN("500 restarts, " << all);
    CHECK(server.end() == 0);
}
