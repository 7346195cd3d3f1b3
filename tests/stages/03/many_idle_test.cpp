#include "catch.h"
#include "descriptors.h"
#include "hello_server.h"
#include "moments.h"
#include "proc.h"

#include <algorithm>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

constexpr int many = 1000;

std::vector<Connection> idleConnections(const HelloServer& server, int count) {
    std::vector<Connection> connections;
    for (int i = 0; i < count; ++i) {
        connections.push_back(server.connect());
        connections.back().send(httpRequest("GET", "/healthz"));
    }
    for (Connection& connection : connections) {
        REQUIRE(connection.readResponse(10s).status == 200);
    }
    return connections;
}

} // namespace

TEST_CASE("03: a thousand idle connections hold no threads and do not keep others waiting") {
    raiseDescriptorLimit();
    const HelloServer server({"--threads", "4"}, {.limits = {{RLIMIT_NOFILE, 4096}}});
    const auto connections = idleConnections(server, many);
    const auto begin = cpuTime(server.pid());
    CHECK(get(server.port(), "/hello?work=1ms", 5s).status == 200);
    CHECK(staysAlive(server, 500ms));
    CHECK(cpuTime(server.pid()) - begin <= 100ms);
    server.stop();
    CHECK(server.end().code == 0);
    CHECK(server.summary().number("served") == many + 1);
}

TEST_CASE("03: a thousand connections that wake up when the grace ends are answered or closed") {
    raiseDescriptorLimit();
    const HelloServer server({"--keepalive-grace", "50ms"}, {.limits = {{RLIMIT_NOFILE, 4096}}});
    auto connections = idleConnections(server, many);
    const auto askedAt = server.stop();
    waitUntil(askedAt + 49ms);
    for (Connection& connection : connections) {
        connection.send(httpRequest("GET", "/healthz"));
    }
    for (Connection& connection : connections) {
        const Response answer = connection.readResponse(10s);
        CHECK((answer.status == 200 || answer.outcome == Outcome::closed ||
               answer.outcome == Outcome::reset));
    }
    CHECK(server.end().code == 0);
}
