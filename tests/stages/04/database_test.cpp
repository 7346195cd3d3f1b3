#include "catch.h"
#include "order_server.h"
#include "orders_file.h"
#include "preload.h"
#include "temp_dir.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace std::chrono_literals;
using namespace lifecycle::test;
namespace fs = std::filesystem;

namespace {

/// Limits the size of the files that a running process may write.
void limitFileSize(pid_t pid, rlim_t bytes) {
    rlimit limit{};
    REQUIRE(::prlimit(pid, RLIMIT_FSIZE, nullptr, &limit) == 0);
    limit.rlim_cur = bytes;
    REQUIRE(::prlimit(pid, RLIMIT_FSIZE, &limit, nullptr) == 0);
}

/// A command in front that makes permissions count, for root as well.
std::vector<std::string> withoutPrivileges() {
    if (::geteuid() == 0) {
        return {"setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"};
    }
    return {"env"};
}

void checkOneStory(const OrderServer& server) {
    server.waitForEvent("database.recovered");
    CHECK(server.events("database.failing").size() == 1);
    CHECK(server.events("database.recovered").size() == 1);
}

void checkCleanEnd(const OrderServer& server, const std::string& database, std::size_t orders) {
    server.signal(SIGTERM);
    CHECK(server.waitForExit(20s).code == 0);
    const auto rows = OrdersFile(database).rows();
    CHECK(rows.size() == orders);
    CHECK((rows.empty() || rows.rbegin()->first == static_cast<std::int64_t>(orders)));
}

/// Counts acknowledged orders on the way to a refusal.
std::size_t orderUntilRefused(const OrderServer& server) {
    std::size_t acknowledged = 0;
    const bool refused = eventually(
        [&] {
            const Response answer = server.order();
            acknowledged += answer.status == 202 ? 1 : 0;
            return answer.status == 503;
        },
        20s);
    REQUIRE(refused);
    return acknowledged;
}

} // namespace

TEST_CASE("04: an order is stored as it was sent") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    const OrderServer server(database);
    const Response answer = server.post("{\"item\":\"Gr\u00fcner Tee \u2615\",\"quantity\":1000000}");
    CHECK(answer.status == 202);
    CHECK(answer.body == "{\"id\":1}\n");
    server.signal(SIGTERM);
    CHECK(server.waitForExit(10s).code == 0);
    const auto rows = OrdersFile(database).rows();
    REQUIRE(rows.size() == 1);
    CHECK(rows.at(1).item == "Gr\u00fcner Tee \u2615");
    CHECK(rows.at(1).quantity == 1'000'000);
    CHECK_FALSE(fs::exists(database + "-wal")); // closed properly
}

TEST_CASE("04: a restart on the same file continues the ids") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    for (int run = 0; run < 3; ++run) {
        const OrderServer server(database);
        CHECK(server.order().body == "{\"id\":" + std::to_string(2 * run + 1) + "}\n");
        CHECK(server.order().body == "{\"id\":" + std::to_string(2 * run + 2) + "}\n");
        server.signal(SIGTERM);
        CHECK(server.waitForExit(10s).code == 0);
    }
    CHECK(OrdersFile(database).rows().size() == 6);
}

TEST_CASE("04: what was stored before a SIGKILL is there after it") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    {
        const OrderServer server(database);
        REQUIRE(server.order().status == 202);
        REQUIRE(eventually([&] { return OrdersFile(database).rows().size() == 1; }, 10s));
        server.signal(SIGKILL);
        server.waitForExit(10s);
    }
    const OrderServer server(database);
    CHECK(server.order().body == "{\"id\":2}\n");
    checkCleanEnd(server, database, 2);
}

TEST_CASE("04: a locked database gives 503 and one clear event and recovers") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    const OrderServer server(database);
    std::size_t acknowledged = 0;
    {
        const auto lock = OrdersFile(database).lock();
        acknowledged = orderUntilRefused(server);
        const Response refused = server.order();
        CHECK(refused.status == 503);
        CHECK(refused.header("Retry-After") == "1");
        CHECK(refused.header("Content-Type") == "application/json");
        CHECK(server.waitForEvent("database.failing").field("error").find("locked") != std::string::npos);
        CHECK(get(server.port(), "/hello?work=0s").status == 200); // the rest is not concerned
    }
    REQUIRE(server.orderUntil(202, 10s));
    checkOneStory(server);
    checkCleanEnd(server, database, acknowledged + 1);
}

TEST_CASE("04: a database that is locked at the start is waited for while the rest serves") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    {
        const OrderServer first(database);
        checkCleanEnd(first, database, 0);
    }
    auto lock = std::make_unique<OrdersFile::WriteLock>(OrdersFile(database).lock());
    const OrderServer server(database);
    CHECK(server.order().status == 503);
    CHECK(get(server.port(), "/hello?work=0s").status == 200);
    lock.reset();
    REQUIRE(server.orderUntil(202, 10s));
    checkOneStory(server);
    checkCleanEnd(server, database, 1);
}

TEST_CASE("04: a read-only database gives 503 and one clear event and recovers") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    {
        const OrderServer first(database);
        REQUIRE(first.order().status == 202);
        checkCleanEnd(first, database, 1);
    }
    fs::permissions(database, fs::perms::owner_read);
    const OrderServer server(withoutPrivileges(), database);
    CHECK(server.order().status == 503);
    CHECK(server.waitForEvent("database.failing").field("error").find("read") != std::string::npos);
    CHECK(get(server.port(), "/hello?work=0s").status == 200);
    for (const std::string& file : {database, database + "-wal", database + "-shm"}) {
        if (fs::exists(file)) { // SQLite has made the others with the permissions of the first
            fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
        }
    }
    REQUIRE(server.orderUntil(202, 10s));
    checkOneStory(server);
    checkCleanEnd(server, database, 2);
}

TEST_CASE("04: a database that may not grow gives 503 and one clear event and recovers") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    const OrderServer server(database);
    REQUIRE(server.order().status == 202);
    limitFileSize(server.pid(), 1024);
    const std::size_t acknowledged = orderUntilRefused(server) + 1;
    server.waitForEvent("database.failing");
    CHECK(get(server.port(), "/hello?work=0s").status == 200);
    CHECK(server.order().status == 503);
    limitFileSize(server.pid(), RLIM_INFINITY);
    REQUIRE(server.orderUntil(202, 10s));
    checkOneStory(server);
    checkCleanEnd(server, database, acknowledged + 1);
}

TEST_CASE("04: a database that stays full to the end costs exit code 75 and a number") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    const OrderServer server(database, {"--hook-timeout=300ms"});
    limitFileSize(server.pid(), 1024);
    const std::size_t acknowledged = orderUntilRefused(server);
    server.signal(SIGTERM);
    CHECK(server.waitForExit(20s).code == 75);
    CHECK(server.waitForEvent("orders.unstored").number("count") ==
          static_cast<long long>(acknowledged - OrdersFile(database).rows().size()));
}

TEST_CASE("04: a commit that fails and is in the file all the same stores nothing twice and goes on") {
    const TempDir directory;
    const auto database = directory.path() / "orders.db";
    const auto fails = directory.path() / "fails";
    const OrderServer server(database, {}, {.environment = preload(FAILING_SYNC, {"FAILING_SYNC=" + fails.string()})});
    REQUIRE(server.order().status == 202);
    REQUIRE(eventually([&] { return OrdersFile(database).rows().size() == 1; }, 10s));
    directory.write("fails", "");
    REQUIRE(server.order().status == 202);
    CHECK(server.waitForEvent("database.failing").field("error").find("I/O") != std::string::npos);
    fs::remove(fails);
    server.waitForEvent("database.recovered");
    CHECK(server.order().status == 202);
    checkCleanEnd(server, database, 3);
}

TEST_CASE("04: a file with another table of that name is refused with 69 and left as it is") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    OrdersFile(database).execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT); PRAGMA user_version = 42;"
                                 "INSERT INTO orders VALUES (1, 'somebody else')");
    const Process server(hooksCommand(database, {}));
    CHECK(server.waitForExit(10s).code == 69);
    CHECK(server.standardError().back().text.find("its table orders is another one") != std::string::npos);
    CHECK(OrdersFile(database).number("PRAGMA user_version") == 42);
}

TEST_CASE("04: a full queue is answered 503 with Retry-After") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    const OrderServer server(database, {"--order-queue=1"});
    const auto lock = OrdersFile(database).lock();
    REQUIRE(server.order().status == 202);
    const Response refused = server.order();
    CHECK(refused.status == 503);
    CHECK(refused.header("Retry-After") == "1");
    CHECK(refused.body.find("error") != std::string::npos);
}

TEST_CASE("04: what can be no database ends the start with 69 and one line") {
    const TempDir directory;
    const auto refused = [](const std::string& database, const std::string& reason) {
        CAPTURE(database);
        const Process server(hooksCommand(database, {}));
        CHECK(server.waitForExit(10s).code == 69);
        REQUIRE_FALSE(server.standardError().empty());
        CHECK(server.standardError().back().text.find(reason) != std::string::npos);
    };
    refused(directory.path() / "no_such_folder" / "orders.db", "No such file or directory");
    refused(directory.path(), "Is a directory");
    refused(directory.write("text", std::string(8192, 'x')), "database");
}

TEST_CASE("04: a second process on the same file is refused with 69") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    const OrderServer first(database);
    const Process second(hooksCommand(database, {}));
    CHECK(second.waitForExit(10s).code == 69);
    CHECK(second.standardError().back().text.find("another process") != std::string::npos);
    CHECK(first.order().status == 202);
}
