#include "catch.h"
#include "order_clients.h"
#include "order_ledger.h"
#include "order_server.h"
#include "orders_file.h"
#include "temp_dir.h"
#include "time_limit.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <random>
#include <thread>

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("04: nothing acknowledged is lost in 50 shutdowns at random moments under 16 clients and is by SIGKILL") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    OrderLedger ledger(database);
    std::mt19937 random(4); // the same moments in every run, as far as a scheduler allows
    std::uniform_int_distribution<int> microseconds(0, 60'000);
    for (int round = 0; round < rounds(50); ++round) {
        CAPTURE(round);
        const OrderServer server(database);
        OrderClients clients(server.port(), 16, std::to_string(round));
        std::this_thread::sleep_for(std::chrono::microseconds(microseconds(random)));
        server.signal(std::array{SIGTERM, SIGINT, SIGQUIT, SIGHUP}[static_cast<std::size_t>(round % 4)]);
        const OrderAnswers answers = clients.wait();
        REQUIRE(server.waitForExit(30s).code == 0);
        CHECK(answers.lost == 0);
        ledger.add(answers);
        ledger.checkFile();
    }
    CHECK(ledger.told() > static_cast<std::size_t>(rounds(50)));
    WARN(rounds(50) << " shutdowns, " << ledger.told() << " orders acknowledged, all stored");

    bool lost = false;
    for (int round = 0; round < 50 && !lost; ++round) {
        const std::string other = directory.path() / ("killed-" + std::to_string(round) + ".db");
        OrderLedger killed(other);
        const OrderServer server(other);
        OrderClients clients(server.port(), 16, std::to_string(round));
        REQUIRE(eventually([&] { return clients.acknowledged() > 20; }, 10s));
        server.signal(SIGKILL);
        clients.stop();
        killed.add(clients.wait());
        server.waitForExit(10s);
        lost = killed.rows() < killed.told();
    }
    CHECK(lost);
}

TEST_CASE("04: nothing acknowledged is lost while the file is moved away and back under 16 clients") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    const std::string elsewhere = directory.path() / "elsewhere.db";
    OrderLedger ledger(database);
    const OrderServer server(database);
    OrderClients clients(server.port(), 16, "moved");
    std::mt19937 random(4);
    std::uniform_int_distribution<int> microseconds(0, 20'000);
    for (int round = 0; round < 20; ++round) {
        const std::size_t before = clients.acknowledged();
        REQUIRE(eventually([&] { return clients.acknowledged() > before; }, 20s));
        std::this_thread::sleep_for(std::chrono::microseconds(microseconds(random)));
        std::filesystem::rename(database, elsewhere);
        std::this_thread::sleep_for(std::chrono::microseconds(microseconds(random)));
        std::filesystem::rename(elsewhere, database);
    }
    server.signal(SIGTERM);
    ledger.add(clients.wait());
    CHECK(server.waitForExit(30s).code == 0);
    ledger.checkFile();
}

TEST_CASE("04: a file that is moved away for good under 16 clients costs no fewer orders than are told") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    const OrderServer server(database, {"--hook-timeout=300ms"});
    OrderClients clients(server.port(), 16, "gone");
    REQUIRE(eventually([&] { return clients.acknowledged() > 100; }, 20s));
    std::filesystem::remove(database);
    CHECK(server.order().status == 503);
    server.signal(SIGTERM);
    const OrderAnswers answers = clients.wait();
    CHECK(server.waitForExit(30s).code == 75);
    CHECK(server.waitForEvent("orders.unstored").number("count") == static_cast<long long>(answers.acknowledged.size()));
}

TEST_CASE("04: a careless end does lose acknowledged orders and the comparison shows it") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    OrderLedger ledger(database);
    {
        const OrderServer server(database);
        const auto lock = OrdersFile(database).lock();
        OrderClients clients(server.port(), 16, "killed");
        REQUIRE(eventually([&] { return clients.acknowledged() > 0; }, 10s));
        server.signal(SIGKILL);
        clients.stop();
        ledger.add(clients.wait());
        CHECK(server.waitForExit(10s).signal == SIGKILL);
    }
    CHECK(ledger.rows() < ledger.told());
}

TEST_CASE("04: a forced exit in the middle of storing prints no fewer than are lost") {
    constexpr long long clientCount = 16;
    const TempDir directory;
    long long allLost = 0;
    std::mt19937 random(4);
    std::uniform_int_distribution<int> microseconds(0, 20'000);
    for (int round = 0; round < 10 || (allLost == 0 && round < 200); ++round) {
        CAPTURE(round);
        const std::string database = directory.path() / (std::to_string(round) + ".db");
        OrderLedger ledger(database);
        const OrderServer server(database, {"--lame-duck=1h"});
        OrderClients clients(server.port(), clientCount, "forced");
        server.signal(SIGTERM);
        server.waitForEvent("lame_duck.begin");
        std::this_thread::sleep_for(60ms + std::chrono::microseconds(microseconds(random)));
        server.signal(SIGTERM);
        ledger.add(clients.wait());
        CHECK(server.waitForExit(10s).code == 128 + SIGTERM);
        const long long told = static_cast<long long>(ledger.told());
        const long long lost = told - static_cast<long long>(ledger.rows());
        if (server.events("orders.unstored").empty()) { // the log gives it 20 ms, and then reports that it has dropped it
            CHECK(server.waitForEvent("events.dropped").number("count") > 0);
            continue;
        }
        const Event unstored = server.waitForEvent("orders.unstored");
        const long long count = unstored.number("count");
        CAPTURE(told, lost, count, unstored.field("note"));
        if (unstored.field("note") == "acknowledged and lost") {
            CHECK(count == lost);
        } else {
            CHECK(count >= lost);
            CHECK(count <= told + clientCount); // an order that was taken, and its response was cut, for each
        }
        allLost += std::max(0LL, lost);
    }
    CHECK(allLost > 0); // or the comparison has compared nothing
}

TEST_CASE("04: a missed deadline prints how many acknowledged orders are not stored and exits with 75") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    OrderLedger ledger(database);
    const OrderServer server(database, {"--hook-timeout=300ms"});
    const auto lock = OrdersFile(database).lock();
    OrderClients clients(server.port(), 16, "late");
    server.waitForEvent("database.failing");
    server.signal(SIGTERM);
    ledger.add(clients.wait());
    CHECK(server.waitForExit(20s).code == 75);
    CHECK(ledger.told() > 0);
    CHECK(server.waitForEvent("orders.unstored").number("count") ==
          static_cast<long long>(ledger.told() - ledger.rows()));
}

TEST_CASE("04: orders stored after their hook was given up are not lost and else the exit code is 75") {
    const bool back = GENERATE(true, false);
    CAPTURE(back);
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    const OrderServer server(database, {"--hook=orders:hang", "--hook=report:800ms", "--hook-timeout=1s"});
    {
        const auto lock = OrdersFile(database).lock();
        REQUIRE(server.order().status == 202);
        server.waitForEvent("database.failing");
        server.signal(SIGTERM);
        server.waitForEvent("hook.timeout", 20s, [](const Event& event) { return event.field("name") == "orders"; });
        if (!back) {
            CHECK(server.waitForExit(20s).code == 75);
            CHECK(server.waitForEvent("orders.unstored").number("count") == 1);
        }
    }
    CHECK(server.waitForExit(20s).code == (back ? 70 : 75));
    CHECK(OrdersFile(database).rows().size() == (back ? 1 : 0));
    CHECK(server.events("orders.unstored").size() == (back ? 0 : 1));
}

TEST_CASE("04: a database that is back in time for the end gets every order") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    OrderLedger ledger(database);
    const OrderServer server(database);
    {
        const auto lock = OrdersFile(database).lock();
        OrderClients clients(server.port(), 16, "waited");
        server.waitForEvent("database.failing");
        server.signal(SIGTERM);
        ledger.add(clients.wait());
        server.waitForEvent("hook.begin", 10s, [](const Event& event) { return event.field("name") == "orders"; });
    }
    CHECK(server.waitForExit(20s).code == 0);
    ledger.checkFile();
}
