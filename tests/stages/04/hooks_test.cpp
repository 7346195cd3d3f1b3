#include "another_user.h"
#include "catch.h"
#include "hooks_fixture.h"

#include <algorithm>
#include <string>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

using Fixture = HooksFixture;

std::vector<std::string> fieldsOf(const std::vector<Event>& events, const std::string& field) {
    std::vector<std::string> values;
    for (const Event& event : events) {
        values.push_back(event.field(field));
    }
    return values;
}

} // namespace

TEST_CASE("04: the hooks run in their order and the plan names them before the ready line") {
    Fixture fixture;
    REQUIRE(fixture.server.order().status == 202);
    CHECK(fieldsOf(fixture.server.events("plan"), "hook") == allHooks);
    CHECK(fixture.end() == 0);
    CHECK(fieldsOf(fixture.server.events("hook.begin"), "name") == allHooks);
    CHECK(fieldsOf(fixture.server.events("hook.end"), "name") == allHooks);
    CHECK(fixture.rows() == 1);
    CHECK(fixture.server.waitForEvent("exit").number("code") == 0);
    CHECK(fixture.server.standardError().back().text.find(" exit code=0") != std::string::npos);
}

TEST_CASE("04: the plan adds up lame duck and drain and hooks and is held against the grace period") {
    const std::vector<std::string> shortHooks{"--lame-duck=2s", "--timeout=3s", "--hook-timeout=1s"};
    // readiness 1, lame duck 2 + 1, listener 1, in flight 3 + 1, orders 1, servers 1, report 1
    SECTION("without a grace period") {
        const Fixture fixture(shortHooks);
        const Event total = fixture.server.waitForEvent("plan.total");
        CHECK(total.field("at_most") == "12s");
        CHECK_FALSE(total.has("warning"));
    }
    SECTION("it fits") {
        auto options = shortHooks;
        options.push_back("--grace=12s");
        const Fixture fixture(options);
        CHECK_FALSE(fixture.server.waitForEvent("plan.total").has("warning"));
    }
    SECTION("it does not fit") {
        auto options = shortHooks;
        options.push_back("--grace=11s");
        const Fixture fixture(options);
        CHECK(fixture.server.waitForEvent("plan.total").field("warning").find("killed") != std::string::npos);
    }
    SECTION("the total timeout bounds it") {
        auto options = shortHooks;
        options.insert(options.end(), {"--grace=11s", "--total-timeout=10s"});
        const Fixture fixture(options);
        CHECK(fixture.server.waitForEvent("plan.total").field("at_most") == "10s");
        CHECK_FALSE(fixture.server.waitForEvent("plan.total").has("warning"));
    }
}

TEST_CASE("04: at the end the time planned is told beside the time used") {
    Fixture fixture({"--hook=orders:200ms"});
    CHECK(fixture.end() == 0);
    for (const Event& used : fixture.server.events("plan.used")) {
        CHECK(used.has("planned"));
        CHECK(used.has("status"));
        if (used.field("hook") == "orders") {
            const std::string took = used.field("took");
            CHECK(std::stod(took) * (took.ends_with("ms") ? 1 : 1000) >= 200);
        }
    }
    CHECK(fixture.server.events("plan.used").size() == 6); // all but the report itself
}

TEST_CASE("04: whichever hook fails the others run and the exit code is 70 and nothing is lost") {
    const std::string hook = GENERATE(from_range(allHooks));
    CAPTURE(hook);
    Fixture fixture({"--hook=" + hook + ":fail"});
    REQUIRE(fixture.server.order().status == 202);
    REQUIRE(eventually([&] { return fixture.rows() == 1; }, 10s)); // nobody waits for it if `orders` fails
    CHECK(fixture.end() == 70);
    CHECK(fixture.server.waitForEvent("hook.failed").field("name") == hook);
    CHECK(fieldsOf(fixture.server.events("hook.begin"), "name") == allHooks);
    CHECK(fixture.rows() == 1);
    CHECK(fixture.server.events("orders.unstored").empty());
}

TEST_CASE("04: whichever hook hangs is abandoned and the others run and the exit code is 70") {
    const std::string hook = GENERATE(from_range(allHooks));
    CAPTURE(hook);
    Fixture fixture({"--hook-timeout=200ms", "--timeout=200ms", "--hook=" + hook + ":hang"});
    REQUIRE(fixture.server.order().status == 202);
    CHECK(fixture.end() == 70);
    CHECK(fixture.server.waitForEvent("hook.timeout").field("name") == hook);
    CHECK(fieldsOf(fixture.server.events("hook.begin"), "name") == allHooks);
    CHECK(fixture.rows() == 1);
}

TEST_CASE("04: a request in flight is finished though the hook that waits for it fails") {
    Fixture fixture({"--hook=in-flight:fail"});
    Connection client = fixture.server.working("/hello?work=500ms");
    CHECK(fixture.end() == 70);
    CHECK(client.readResponse(5s).status == 200);
}

TEST_CASE("04: a request in flight is finished and a connect after the listener is closed is refused") {
    Fixture fixture;
    Connection client = fixture.server.working("/hello?work=700ms");
    fixture.server.signal(SIGTERM);
    fixture.server.waitForEvent("listener.closed");
    CHECK(Connection::to(fixture.server.port()).error() == std::errc::connection_refused);
    const Response answer = client.readResponse(5s);
    CHECK(answer.status == 200);
    CHECK(answer.header("Connection") == "close");
    CHECK(fixture.server.waitForExit(10s).code == 0);
    CHECK(fixture.server.waitForEvent("shutdown.end").number("served") == 1);
}

TEST_CASE("04: a request that outlasts the timeout is cut and the exit code is 75") {
    Fixture fixture({"--timeout=200ms"});
    REQUIRE(fixture.server.order().status == 202);
    Connection client = fixture.server.working("/hello?work=10m");
    CHECK(fixture.end() == 75);
    CHECK(client.readResponse(5s).outcome == Outcome::closed);
    CHECK(fixture.server.waitForEvent("shutdown.end").number("cut") == 1);
    CHECK(fixture.told("in-flight") == "failed");
    CHECK(fixture.server.waitForEvent("hook.failed").field("error") == "1 request was cut");
    CHECK(fixture.told("orders") == "ok");
    CHECK(fixture.rows() == 1);
}

TEST_CASE("04: a request in the server's own queue is not turned away by the gate") {
    Fixture fixture({"--threads=1"});
    Connection first = fixture.server.working("/hello?work=500ms");
    Connection second = Connection::to(fixture.server.port());
    second.send(httpRequest("POST", "/orders", {}, R"({"item":"tea","quantity":1})"));
    CHECK(fixture.end() == 0);
    CHECK(first.readResponse(5s).status == 200);
    CHECK(second.readResponse(5s).status == 202);
    CHECK(fixture.rows() == 1);
}

TEST_CASE("04: an order in flight at the signal is taken") {
    Fixture fixture;
    Connection client = Connection::to(fixture.server.port());
    const std::string order = R"({"item":"tea","quantity":1})";
    const std::string request = httpRequest("POST", "/orders", {}, order);
    client.send(request.substr(0, request.size() - 5)); // as if its client were slow
    fixture.server.waitForEvent("request.begin");
    fixture.server.signal(SIGTERM);
    fixture.waitForHook("in-flight");
    client.send(request.substr(request.size() - 5));
    const Response answer = client.readResponse(5s);
    CHECK(answer.status == 202);
    CHECK(fixture.server.waitForExit(10s).code == 0);
    CHECK(fixture.rows() == 1);
}

TEST_CASE("04: a total timeout that is too short for a hook is logged at the start and the drain has what is left") {
    Fixture fixture({"--hook-timeout=1s", "--total-timeout=4s"});
    const std::vector<Event> shortened = fixture.server.events("hook.short");
    CHECK_FALSE(shortened.empty());
    for (const Event& hook : shortened) {
        CHECK(hook.field("name") != "readiness");
    }
    Connection client = fixture.server.working("/hello?work=1500ms"); // more than its share of the timeouts
    CHECK(fixture.end() == 0);
    CHECK(client.readResponse(5s).status == 200);
    const auto begun = fixture.server.events("hook.begin");
    CHECK(begun.at(0).field("timeout") == "1s");
    CHECK(begun.at(4).field("timeout") == "1s"); // orders
}

TEST_CASE("04: the longest durations there are do not overflow") {
    const std::string longest = "2562047h47m16s";
    Fixture fixture({"--hook-timeout=" + longest, "--timeout=" + longest, "--lame-duck=" + longest,
                     "--total-timeout=" + longest, "--grace=" + longest, "--hook=lame-duck:fail"});
    REQUIRE(fixture.server.order().status == 202);
    CHECK(fixture.end() == 70);
    CHECK(fixture.rows() == 1);
}

TEST_CASE("04: without a thread to be had every hook runs and one that hangs is abandoned") {
    const TempDir directory;
    const std::string database = directory.path() / "orders.db";
    const OrderServer server(asLimitedUser(), database, {"--hook=listener:hang", "--hook-timeout=500ms"});
    REQUIRE(server.order().status == 202);
    Connection client = server.working("/hello?work=200ms");
    forbidThreads(server.pid());
    server.signal(SIGTERM);
    CHECK(server.waitForExit(30s).code == 70);
    CHECK(server.waitForEvent("hook.timeout").field("name") == "listener");
    CHECK(fieldsOf(server.events("hook.begin"), "name") == allHooks);
    CHECK(client.readResponse(5s).status == 200);
    CHECK(OrdersFile(database).rows().size() == 1);
}

TEST_CASE("04: an order that the service refuses is counted apart from requests that the server refuses") {
    Fixture fixture({"--order-queue=1", "--hook-timeout=5s"});
    {
        const auto lock = OrdersFile(fixture.directory.path() / "orders.db").lock();
        REQUIRE(fixture.server.order().status == 202);
        REQUIRE(fixture.server.order().status == 503);
    }
    CHECK(fixture.end() == 0);
    const Event end = fixture.server.waitForEvent("shutdown.end");
    CHECK(end.number("served") == 2);
    CHECK(end.number("refused") == 0);
    CHECK(end.number("orders_refused") == 1);
}

TEST_CASE("04: the lame duck serves orders and says so to nobody but readyz") {
    Fixture fixture({"--lame-duck=400ms"});
    fixture.server.signal(SIGTERM);
    fixture.server.waitForEvent("lame_duck.begin");
    CHECK(get(fixture.server.port(), "/readyz").status == 503);
    CHECK(fixture.server.order().status == 202);
    CHECK(fixture.server.waitForExit(10s).code == 0);
    CHECK(fixture.rows() == 1);
}

TEST_CASE("04: a port that is taken ends the start with 69 and leaves nothing behind") {
    const Fixture first;
    const TempDir directory;
    const std::string taken = GENERATE("--port=", "--admin-port=");
    const int port = taken == "--port=" ? first.server.port() : first.server.adminPort();
    const Process second(hooksCommand(directory.path() / "orders.db", {taken + std::to_string(port)}));
    CHECK(second.waitForExit(10s).code == 69);
}

TEST_CASE("04: bad options are refused with 64 and a line that says what is allowed") {
    const auto refused = [](const std::string& option, const std::string& part) {
        CAPTURE(option);
        const Process program({STAGE_BIN_DIR "/04_hooks", option});
        CHECK(program.waitForExit(10s).code == 64);
        REQUIRE(program.standardError().size() == 1);
        CHECK(program.standardError()[0].text.find(part) != std::string::npos);
    };
    refused("--hook=order:fail", "readiness, lame-duck, listener, in-flight, orders, servers, report");
    refused("--hook=orders", "orders:hang");
    refused("--hook=orders:", "orders:hang");
    refused("--hook=orders:-2s", "orders:hang");
    refused("--hook=", "readiness");
    refused("--hook-timeout=5", "unit");
    refused("--total-timeout=-1s", "total-timeout");
    refused("--order-queue=0", "1");
    refused("--admin-port=65536", "admin-port");
}

TEST_CASE("04: help shows every option with its default") {
    const Process program({STAGE_BIN_DIR "/04_hooks", "--help"});
    CHECK(program.waitForExit(10s).code == 0);
    for (const std::string option :
         {"--port", "--admin-port", "--admin-address", "--db", "--order-queue", "--hook-timeout", "--total-timeout",
          "--grace", "--hook", "--lame-duck", "--timeout"}) {
        CHECK(program.standardOutput().find(option + " ") != std::string::npos);
    }
    CHECK(program.standardOutput().find("orders.db") != std::string::npos);
    CHECK(program.standardOutput().find("10m") != std::string::npos);
}

TEST_CASE("04: with absurdly long timeouts a request in flight is finished") {
    const OrderFixture fixture({"--timeout=2562047h", "--total-timeout=2562047h", "--hook-timeout=2562047h"});
    Connection client = fixture.server.working("/hello?work=100ms");
    fixture.server.signal(SIGTERM);
    CHECK(client.readResponse(10s).status == 200);
    CHECK(fixture.server.waitForExit(30s).code == 0);
}
