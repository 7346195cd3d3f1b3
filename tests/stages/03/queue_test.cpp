#include "catch.h"
#include "hello_server.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// Sends `count` requests that take a while; returns when `threads` of them are worked on.
std::vector<Connection> requests(const HelloServer& server, std::size_t count, std::size_t threads,
                                 const std::string& target = "/hello?work=300ms") {
    std::vector<Connection> clients;
    for (std::size_t i = 0; i < count; ++i) {
        clients.push_back(server.connect());
        clients.back().send(httpRequest("GET", target));
    }
    REQUIRE(eventually([&] { return server.events("request.begin").size() >= threads; }, 10s));
    return clients;
}

int answeredWith(int status, std::vector<Connection>& clients) {
    int count = 0;
    for (Connection& client : clients) {
        const Response answer = client.readResponse(10s);
        count += answer.status == status ? 1 : 0;
        if (answer.status == 503) {
            CHECK(answer.outcome == Outcome::complete);
            CHECK_FALSE(answer.header("Retry-After").empty());
            CHECK(answer.header("Connection") == "close");
            CHECK(client.readBytes(1, 5s).outcome == Outcome::closed);
        }
    }
    return count;
}

} // namespace

TEST_CASE("03: requests in line for a thread are served by the drain and lost by plain Poco") {
    const HelloServer server({"--threads", "2"});
    auto clients = requests(server, 12, 2, "/hello?work=50ms");
    server.stop();
    CHECK(answeredWith(200, clients) == 12);
    CHECK(server.end().code == 0);
    CHECK(server.summary().number("served") == 12);

    for (const char* strategy : {"stopall", "stop"}) {
        const HelloServer plain({"--threads", "2", "--strategy", strategy});
        auto lost = requests(plain, 12, 2, "/hello?work=50ms");
        plain.stop();
        CHECK(answeredWith(200, lost) < 12);
    }
}

TEST_CASE("03: a full queue answers 503 with Retry-After and never resets") {
    const HelloServer server({"--threads", "1", "--queue", "1"});
    auto first = requests(server, 1, 1);
    auto others = requests(server, 6, 1);
    CHECK(answeredWith(503, others) == 5);
    CHECK(answeredWith(200, first) == 1);
    server.stop();
    CHECK(server.end().code == 0);
    CHECK(server.summary().number("served") == 2);
    CHECK(server.summary().number("refused") == 5);
}

TEST_CASE("03: a full queue answers 503 during the drain too") {
    const HelloServer server({"--threads", "1", "--queue", "1", "--lame-duck", "200ms"});
    auto first = requests(server, 1, 1);
    server.stop();
    server.waitForEvent("readiness.off");
    auto others = requests(server, 6, 1);
    CHECK(answeredWith(503, others) == 5);
    CHECK(answeredWith(200, first) == 1);
    CHECK(server.end().code == 0);
    CHECK(server.summary().number("refused") == 5);
}

TEST_CASE("03: a full queue resets no client that is still sending its body") {
    const HelloServer server({"--threads", "1", "--queue", "1"});
    auto first = requests(server, 1, 1, "/hello?work=3s"); // for longer than the others need to send their bodies
    auto queued = requests(server, 1, 1, "/hello");
    const std::string body(1'000'000, 'x');
    std::vector<Connection> clients;
    for (int i = 0; i < 5; ++i) {
        clients.push_back(server.connect());
        CHECK_FALSE(clients.back().send(httpRequest("POST", "/hello", {}, body)));
    }
    CHECK(answeredWith(503, clients) == 5);
    CHECK(answeredWith(200, first) == 1);
    CHECK(answeredWith(200, queued) == 1);
    server.stop();
    CHECK(server.end().code == 0);
}

TEST_CASE("03: a full queue of idle connections is no reason to refuse") {
    const HelloServer server({"--threads", "1", "--queue", "1"});
    std::vector<Connection> idle;
    for (int i = 0; i < 20; ++i) {
        idle.push_back(server.idle());
    }
    CHECK(get(server.port(), "/healthz").status == 200);
    CHECK(server.events("request.refused").empty());
}
