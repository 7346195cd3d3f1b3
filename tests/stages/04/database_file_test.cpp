// The file at the path is moved, removed or overwritten while the program serves: SQLite goes on without an error, and
// stores where nobody finds it.

#include "catch.h"
#include "order_fixture.h"

#include <sqlite3.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
namespace fs = std::filesystem;

namespace {

/// How many rows a new reader finds in the file; none if there is no such table.
std::size_t rowsIn(const fs::path& database) {
    try {
        return OrdersFile(database).rows().size();
    } catch (const std::exception&) {
        return 0;
    }
}

/// Stage 04 with one order acknowledged and stored, in a folder that can be moved.
struct Shop {
    TempDir directory;
    fs::path folder = directory.path() / "shop";
    fs::path database = folder / "orders.db";
    std::unique_ptr<OrderServer> server;

    /// Short where nothing can be stored, otherwise enough for a busy machine.
    explicit Shop(const std::string& hookTimeout = "20s") {
        fs::create_directory(folder);
        server = std::make_unique<OrderServer>(database, std::vector<std::string>{"--hook-timeout=" + hookTimeout});
        REQUIRE(server->order().status == 202);
        REQUIRE(eventually([&] { return rowsIn(database) == 1; }, 10s));
    }

    fs::path log() const { return database.string() + "-wal"; }
    fs::path elsewhere() const { return folder / "elsewhere.db"; }

    int end() const {
        server->signal(SIGTERM);
        return server->waitForExit(30s).code;
    }
};

void overwrite(const fs::path& file, const std::string& content) {
    std::ofstream(file, std::ios::trunc | std::ios::binary) << content;
}

struct Harm {
    std::string name;
    std::function<void(const Shop&)> done;
    std::string told;  ///< part of the error in the log
};

const std::vector<Harm>& harms() {
    static const std::vector<Harm> all{
        {"moved", [](const Shop& shop) { fs::rename(shop.database, shop.elsewhere()); }, "moved"},
        {"removed", [](const Shop& shop) { fs::remove(shop.database); }, "removed"},
        {"removed with its log",
         [](const Shop& shop) {
             for (const auto& file : fs::directory_iterator(shop.folder)) {
                 fs::remove(file);
             }
         },
         "removed"},
        {"replaced",
         [](const Shop& shop) {
             OrdersFile(shop.elsewhere()).execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item, quantity)");
             fs::rename(shop.elsewhere(), shop.database);
         },
         "replaced"},
        {"in a folder that is moved",
         [](const Shop& shop) { fs::rename(shop.folder, shop.directory.path() / "closed"); }, "moved"},
        {"truncated", [](const Shop& shop) { overwrite(shop.database, ""); }, "overwritten"},
        {"overwritten", [](const Shop& shop) { overwrite(shop.database, std::string(20'000, 'x')); }, "overwritten"},
        {"left with a truncated log", [](const Shop& shop) { overwrite(shop.log(), ""); }, "another program"},
        {"left with an overwritten log",
         [](const Shop& shop) { overwrite(shop.log(), std::string(40'000, 'x')); }, "log"},
    };
    return all;
}

} // namespace

TEST_CASE("04: a database file that is moved, removed or overwritten gives 503 and an event and exit code 75") {
    const Harm& harm = GENERATE(from_range(harms()));
    CAPTURE(harm.name);
    const Shop shop("300ms");
    harm.done(shop);
    CHECK(shop.server->order().status == 503);
    CHECK(shop.server->waitForEvent("database.failing").field("error").find(harm.told) != std::string::npos);
    CHECK(shop.server->order().status == 503);
    CHECK(get(shop.server->port(), "/hello?work=0s").status == 200); // the rest is not concerned
    CHECK(shop.end() == 75);
    CHECK(shop.server->waitForEvent("orders.unstored").number("count") == 1);
    CHECK(shop.server->events("orders.unstored").back().field("note") == "at most");
}

TEST_CASE("04: SQLite alone stores without an error into a file that is gone") {
    const TempDir directory;
    const fs::path database = directory.path() / "orders.db";
    OrdersFile(database).execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item, quantity)");
    sqlite3* opened = nullptr;
    REQUIRE(::sqlite3_open(database.c_str(), &opened) == SQLITE_OK);
    const std::shared_ptr<sqlite3> careless(opened, ::sqlite3_close);
    const auto execute = [&](const char* sql) { return ::sqlite3_exec(opened, sql, nullptr, nullptr, nullptr); };
    const auto store = [&] { return execute("INSERT INTO orders VALUES (NULL, 'tea', 1)"); };
    REQUIRE(execute("PRAGMA journal_mode = WAL") == SQLITE_OK);
    REQUIRE(store() == SQLITE_OK);
    fs::rename(database, directory.path() / "elsewhere.db");
    CHECK(store() == SQLITE_OK);
    CHECK(rowsIn(database) == 0);
}

TEST_CASE("04: a database file that is gone is told though nobody orders") {
    const Shop shop;
    fs::remove(shop.database);
    CHECK(shop.server->waitForEvent("database.failing").field("error").find("removed") != std::string::npos);
}

TEST_CASE("04: a database file that comes back to its path is stored into again") {
    const Shop shop;
    fs::rename(shop.database, shop.elsewhere());
    CHECK(shop.server->order().status == 503);
    shop.server->waitForEvent("database.failing");
    fs::rename(shop.elsewhere(), shop.database);
    REQUIRE(shop.server->orderUntil(202, 10s));
    shop.server->waitForEvent("database.recovered");
    CHECK(shop.end() == 0);
    CHECK(rowsIn(shop.database) == 2);
}

TEST_CASE("04: a log that is removed costs no order") {
    const Shop shop;
    fs::remove(shop.log());
    REQUIRE(shop.server->orderUntil(202, 10s));
    CHECK(shop.server->waitForEvent("database.failing").field("error").find("-wal was moved, removed") !=
          std::string::npos);
    CHECK(shop.end() == 0);
    CHECK(rowsIn(shop.database) == 2);
}

TEST_CASE("04: a second process may take the path of a moved file and the first leaves it alone") {
    const Shop shop("300ms");
    for (const std::string suffix : {"", "-wal", "-shm"}) {
        fs::rename(shop.database.string() + suffix, shop.elsewhere().string() + suffix);
    }
    const OrderServer second(shop.database);
    REQUIRE(second.order().status == 202);
    REQUIRE(eventually([&] { return rowsIn(shop.database) == 1; }, 10s));
    CHECK(shop.server->order().status == 503);
    CHECK(shop.end() == 75);
    CHECK(second.order().status == 202); // its log is still there
    second.signal(SIGTERM);
    CHECK(second.waitForExit(10s).code == 0);
    CHECK(rowsIn(shop.database) == 2);
}

TEST_CASE("04: a row that is deleted behind its back costs exit code 75 and what other programs change does not") {
    const bool deleted = GENERATE(true, false);
    CAPTURE(deleted);
    const Shop shop(deleted ? "300ms" : "20s");
    OrdersFile(shop.database).execute(deleted ? "DELETE FROM orders" : "CREATE TABLE notes (text)");
    OrdersFile(shop.database).execute("PRAGMA wal_checkpoint(TRUNCATE)"); // changes the file, and empties the log
    REQUIRE(shop.server->orderUntil(202, 10s));
    CHECK(shop.end() == (deleted ? 75 : 0));
    CHECK(rowsIn(shop.database) == (deleted ? 1 : 2));
    if (deleted) {
        const Event unstored = shop.server->waitForEvent("orders.unstored");
        CHECK(unstored.number("count") == 1);
        CHECK(unstored.field("note") == "acknowledged and lost"); // also while the writer counts the rows once more
    }
    CHECK(shop.server->events("database.failing").size() == (deleted ? 1 : 0));
}

TEST_CASE("04: a database that is no file on a disk is refused with 64 and what is no regular file with 69") {
    const TempDir directory;
    for (const std::string database : {"", ":memory:", "file:orders.db", "file:orders?mode=memory"}) {
        CAPTURE(database);
        const Process server(hooksCommand(database, {}));
        CHECK(server.waitForExit(10s).code == 64);
        REQUIRE(server.standardError().size() == 1);
        CHECK(server.standardError()[0].text.find("--db") != std::string::npos);
    }
    const std::string fifo = directory.path() / "fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    for (const std::string& database : {fifo, std::string("/dev/null")}) {
        CAPTURE(database);
        const Process server(hooksCommand(database, {}));
        CHECK(server.waitForExit(10s).code == 69);
        REQUIRE(server.standardError().size() == 1);
        CHECK(server.standardError()[0].text.find("is not a regular file") != std::string::npos);
    }
}
