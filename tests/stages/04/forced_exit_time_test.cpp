// The end at once, and not later than the total timeout.

#include "catch.h"
#include "hooks_fixture.h"
#include "order_clients.h"
#include "order_ledger.h"

#include <thread>

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("04: the total timeout ends what is left and an early slow hook does not starve the others") {
    const HooksFixture fixture({"--total-timeout=1s", "--hook=readiness:1h"});
    REQUIRE(fixture.server.order().status == 202);
    const auto begin = Clock::now();
    fixture.server.signal(SIGTERM);
    const ExitStatus status = fixture.server.waitForExit(20s);
    CHECK(status.code == 70);
    CHECK(status.at - begin < 1s + 500ms * slower);
    CHECK(fixture.told("orders") == "ok");
    CHECK(fixture.rows() == 1);
}

TEST_CASE("04: a second signal inside a hook that hangs ends it at once") {
    const std::string hook = GENERATE(from_range(allHooks));
    CAPTURE(hook);
    const HooksFixture fixture({"--hook=" + hook + ":hang"});
    REQUIRE(fixture.server.order().status == 202);
    REQUIRE(eventually([&] { return fixture.rows() == 1; }, 10s));
    fixture.server.signal(SIGTERM);
    fixture.waitForHook(hook);
    std::this_thread::sleep_for(60ms); // sooner it would be a key bounce
    const auto second = Clock::now();
    fixture.server.signal(SIGINT);
    const ExitStatus status = fixture.server.waitForExit(10s);
    CHECK(status.code == 128 + SIGINT);
    CHECK(status.at - second < 100ms * slower);
    CHECK(fixture.server.waitForEvent("orders.unstored").number("count") == 0);
}

TEST_CASE("04: a forced exit prints how many acknowledged orders are not stored") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    OrderLedger ledger(database);
    const OrderServer server(database);
    REQUIRE(server.order().status == 202);
    REQUIRE(eventually([&] { return OrdersFile(database).rows().size() == 1; }, 10s));

    const auto lock = OrdersFile(database).lock();
    OrderClients clients(server.port(), 16, "forced");
    server.waitForEvent("database.failing");
    clients.stop();
    ledger.add(clients.wait());
    REQUIRE(ledger.told() > 0);

    server.signal(SIGTERM);
    server.waitForEvent("hook.begin", 10s, [](const Event& event) { return event.field("name") == "orders"; });
    std::this_thread::sleep_for(60ms); // sooner it would be a key bounce
    const auto forced = Clock::now();
    server.signal(SIGTERM);
    const ExitStatus status = server.waitForExit(10s);
    CHECK(status.code == 128 + SIGTERM);
    CHECK(status.at - forced < 100ms * slower);
    const Event unstored = server.waitForEvent("orders.unstored");
    CHECK(unstored.number("count") == static_cast<long long>(ledger.told() + 1 - ledger.rows()));
    CHECK(unstored.field("note") == "acknowledged and lost");
}
