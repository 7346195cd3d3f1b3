// The admin page of stage 04, as Chromium shows it.

#include "catch.h"
#include "chromium.h"
#include "watched_server.h"
#include "skip.h"

#include <csignal>
#include <memory>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// The browser, or nothing: then the test is to return, and counts as skipped.
std::unique_ptr<Chromium> browser() {
    const auto program = Chromium::find();
    if (!program) {
        skip("chromium is not installed");
        return nullptr;
    }
    return std::make_unique<Chromium>(*program);
}

/// From now on the page notes every state it shows: states as short as these could be missed from
/// outside.
void noteStates(Chromium& chromium) {
    chromium.evaluate("window.seen = [document.querySelector('#state').textContent],"
                      "new MutationObserver(() => {"
                      "  const now = document.querySelector('#state').textContent;"
                      "  if (now !== seen.at(-1)) seen.push(now);"
                      "}).observe(document.querySelector('#state'), {childList: true})");
}

} // namespace

TEST_CASE("04: the page follows a shutdown from the first request to the exit code") {
    const auto chromium = browser();
    if (!chromium) {
        return;
    }
    const WatchedServer server({"--lame-duck=500ms", "--timeout=30s", "--hook=orders:1s"});
    chromium->open(server.page());
    REQUIRE(chromium->showsSoon("#state", "Running"));
    noteStates(*chromium);

    Connection client = server.ask(httpRequest("GET", "/hello?work=5s"));
    CHECK(chromium->showsSoon("#in-flight", "GET /hello?work=5s"));
    CHECK(chromium->text("#in-flight").find("handling") != std::string::npos);

    server.process().signal(SIGTERM);
    CHECK(chromium->showsSoon("#state", "Draining"));
    CHECK(chromium->text("#why").find("SIGTERM") != std::string::npos);
    CHECK(chromium->showsSoon("#hooks .running", "in-flight"));
    CHECK(chromium->text("#in-flight").find("GET /hello?work=5s") != std::string::npos);
    CHECK(chromium->text("#label").find("remaining of 10 min") != std::string::npos);

    CHECK(chromium->showsSoon("#state", "Stopped"));
    CHECK(chromium->text("#why") == "Exit code 0: clean, everything accepted was finished.");
    CHECK(chromium->text("#in-flight") == "");
    CHECK(chromium->evaluate("seen") == "Running,Lame duck,Draining,Hooks,Stopped");
    // It has asked nobody but its server.
    CHECK(chromium->evaluate("performance.getEntriesByType('resource')"
                             ".map(r => r.name)") == server.page() + "events");
    CHECK(client.readResponse(10s).status == 200);
    CHECK(server.process().waitForExit(10s).code == 0);
}

TEST_CASE("04: the page names the hook that failed and the exit code that follows") {
    const auto chromium = browser();
    if (!chromium) {
        return;
    }
    const WatchedServer server({"--hook=orders:fail"});
    chromium->open(server.page());
    REQUIRE(chromium->showsSoon("#state", "Running"));
    server.process().signal(SIGTERM);
    CHECK(chromium->showsSoon("#why", "Exit code 70"));
    CHECK(chromium->text("#hooks .wrong").find("orders failed") != std::string::npos);
}

TEST_CASE("04: the page of a killed server keeps its last state and asks no more") {
    const auto chromium = browser();
    if (!chromium) {
        return;
    }
    const WatchedServer server;
    chromium->open(server.page());
    Connection client = server.ask(httpRequest("GET", "/hello?work=1m"));
    REQUIRE(chromium->showsSoon("#in-flight", "/hello?work=1m"));
    server.process().signal(SIGKILL);
    CHECK(chromium->showsSoon("#state", "Ended without saying how"));
    CHECK(chromium->text("#in-flight").find("/hello?work=1m") != std::string::npos);

    const std::string asked = "performance.getEntriesByType('resource').length";
    const std::string before = chromium->evaluate(asked);
    // That something does not happen shows only in time, the page's own here.
    CHECK(chromium->evaluate("new Promise(then => setTimeout(then, 2000)).then(() => " + asked +
                             ")") == before);
}

TEST_CASE("04: the page shows a hostile path as text and stays as wide as a phone") {
    const auto chromium = browser();
    if (!chromium) {
        return;
    }
    const WatchedServer server;
    chromium->resize(360, 740);
    chromium->open(server.page());
    Connection client = server.ask(httpRequest(
        "GET", "/hello?work=1m&<img/src/onerror=alert(1)>&" + std::string(2000, 'A')));
    CHECK(chromium->showsSoon("#in-flight", "<img/src/onerror=alert(1)>"));
    CHECK(chromium->evaluate("document.querySelectorAll('main img').length") == "0");
    CHECK(chromium->evaluate("document.documentElement.scrollWidth") == "360");
}

TEST_CASE("04: the page asks again and again where it gets no stream") {
    const auto chromium = browser();
    if (!chromium) {
        return;
    }
    const WatchedServer server({"--lame-duck=1m"});
    std::vector<Connection> streams; // as many as the server grants
    for (int i = 0; i < 64; ++i) {
        streams.push_back(Connection::to(server.adminPort()));
        streams.back().send(httpRequest("GET", "/events"));
        REQUIRE(streams.back().readBytes(1, 10s).outcome == Outcome::complete);
    }
    chromium->open(server.page());
    CHECK(chromium->showsSoon("#link", "polling"));
    CHECK(chromium->text("#state") == "Running");
    server.process().signal(SIGTERM);
    CHECK(chromium->showsSoon("#state", "Lame duck"));
}
