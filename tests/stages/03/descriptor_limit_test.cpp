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
const ProcessOptions fewDescriptors{
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

/// Connections with a request each that takes long, until the server has no descriptor left. Hardly more
/// than it accepts.
std::vector<Connection> occupyAll(const HelloServer& server) {
    std::vector<Connection> working;
    while (server.events("accept.paused").empty()) {
        working.push_back(server.connect());
        working.back().send(httpRequest("GET", slowdown == 1 ? "/hello?work=5s" : "/hello?work=8s"));
        eventually([&] { return !server.events("accept.paused").empty(); }, slowdown == 1 ? 5ms : 20ms);
    }
    return working;
}

} // namespace

TEST_CASE("03: at the descriptor limit it does not spin") {
    const HelloServer server({}, fewDescriptors);
    const auto connections = tooMany(server);
    const auto begin = cpuTime(server.pid());
    CHECK(staysAlive(server, 1s));
    CHECK(cpuTime(server.pid()) - begin <= (slowdown == 1 ? 100ms : 300ms)); // spinning takes all of it
}

TEST_CASE("03: behind the descriptor limit everybody is served in turn") {
    const HelloServer server({}, fewDescriptors);
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
    const HelloServer server({}, fewDescriptors);
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

TEST_CASE("03: at the descriptor limit a client that is still sending reads its 503 and no reset") {
    const HelloServer server({"--timeout", "15s"}, fewDescriptors);
    const auto working = occupyAll(server);
    auto uploading = server.connect();
    uploading.send("POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
    uploading.send(std::string(1000, 'x'));
    server.stop();
    const Response response = uploading.readResponse(10s);
    CHECK(response.status == 503);
    for (int i = 0; i < 3; ++i) {
        CHECK_FALSE(uploading.send(std::string(1000, 'x'))); // a reset would make the second one fail
        std::this_thread::sleep_for(2ms); // as an upload over a network; nothing is waited for
    }
    CHECK(uploading.readBytes(1, 10s).outcome == Outcome::closed);
    CHECK(server.waitForExit(10s).code == 0);
}

// None of them closes its connection: each holds the only spare descriptor until the server does.
TEST_CASE("03: at the descriptor limit the queue is shed one by one and then the listener closes at once") {
    const HelloServer server({"--timeout", "15s"}, fewDescriptors);
    auto working = occupyAll(server);
    std::vector<Connection> queued;
    for (int i = 0; i < 4; ++i) {
        queued.push_back(server.connect());
        queued.back().send(httpRequest("GET", "/hello"));
    }
    server.stop();
    for (Connection& connection : queued) {
        CHECK(connection.readResponse(10s).status == 503);
    }
    const Event closed = server.waitForEvent("listener.closed");
    CHECK(closed.sinceStart - server.events("request.refused").back().sinceStart < 1s); // not when it gives up: 1.5 s
    for (Connection& connection : working) {
        const Response response = connection.readResponse(10s);
        CHECK((response.status == 200 || response.status == 503));
    }
    CHECK(server.waitForExit(10s).code == 0);
    CHECK(server.summary().number("cut") == 0);
}
