#include "catch.h"
#include "hello_server.h"
#include "moments.h"
#include "proc.h"
#include "time_limit.h"

#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

constexpr int clients = 200;

// UndefinedBehaviorSanitizer looks at an object's type by means of a pipe(2), and takes every type
// for a wrong one when there is no descriptor left for it. So its reports are no end here, nor is what
// they leak, and what the server writes is not checked line by line.
const ProcessOptions few_descriptors{
    .environment = {"UBSAN_OPTIONS=halt_on_error=0", "ASAN_OPTIONS=detect_leaks=0"},
    .limits = {{RLIMIT_NOFILE, 64}}};

/// Connections that have sent a request each. The server can accept only some of them.
std::vector<Connection> tooMany(const HelloServer& server) {
    std::vector<Connection> connections;
    for (int i = 0; i < clients; ++i) {
        connections.push_back(server.connect());
        connections.back().send(httpRequest("GET", "/healthz"));
    }
    server.waitForEvent("accept.paused");
    return connections;
}

} // namespace

TEST_CASE("03: at the descriptor limit it does not spin") {
    const HelloServer server({}, few_descriptors);
    const auto connections = tooMany(server);
    const auto begin = cpuTime(server.pid());
    CHECK(staysAlive(server, 1s));
    CHECK(cpuTime(server.pid()) - begin <= (slowdown == 1 ? 100ms : 300ms)); // spinning takes all of it
}

TEST_CASE("03: behind the descriptor limit everybody is served in turn") {
    const HelloServer server({}, few_descriptors);
    for (Connection& connection : tooMany(server)) {
        CHECK(connection.readResponse(10s).status == 200);
        connection.close();
    }
    server.waitForEvent("accept.resumed");
    CHECK(get(server.port(), "/healthz").status == 200);
    server.stop();
    CHECK(server.waitForExit(10s).code == 0);
    CHECK(server.summary().number("served") == clients + 1);
    CHECK(server.summary().number("refused") == 0);
}

TEST_CASE("03: at the descriptor limit the drain answers everybody in line") {
    const HelloServer server({}, few_descriptors);
    auto connections = tooMany(server);
    server.stop();
    int served = 0;
    for (Connection& connection : connections) {
        const Response answer = connection.readResponse(10s);
        CHECK((answer.status == 200 || answer.status == 503));
        served += answer.status == 200 ? 1 : 0;
    }
    CHECK(server.waitForExit(10s).code == 0);
    CHECK(server.summary().number("served") == served);
    CHECK(server.summary().number("refused") == clients - served);
    CHECK(server.summary().number("cut") == 0);
}
