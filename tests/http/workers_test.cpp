// How an HttpServer gives its threads to connections: many may be blocked, few run, and nobody waits for those.

#include "catch.h"
#include "concurrent_shutdown.h"
#include "flag.h"
#include "served.h"

#include <atomic>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::ConnectionState;
using lifecycle::requestContext;

TEST_CASE("library: as many handlers as there are threads can wait for each other") {
    constexpr int count = 100;
    std::atomic<int> arrived = 0;
    Flag all;
    Served server(
        [&](HTTPServerRequest&, HTTPServerResponse& response) {
            if (++arrived == count) {
                all.set();
            }
            answer(response, all.wait() ? "together" : "alone");
        },
        {.threads = count, .queue = 0});
    std::vector<Connection> clients;
    for (int i = 0; i < count; ++i) {
        clients.push_back(server.send(httpRequest("GET", "/")));
    }
    for (Connection& client : clients) {
        CHECK(client.readResponse(20s).body == "together");
    }
}

TEST_CASE("library: endless responses do not take the turns of other requests") {
    Served server([&](HTTPServerRequest& request, HTTPServerResponse& response) {
        if (request.getURI() == "/endless") {
            response.setChunkedTransferEncoding(true);
            response.send() << "begun" << std::flush;
            static_cast<void>(requestContext(request).waitFor(60s));
        } else {
            answer(response, "short");
        }
    });
    std::vector<Connection> streams;
    for (int i = 0; i < 20; ++i) {
        streams.push_back(server.send(httpRequest("GET", "/endless")));
    }
    REQUIRE(server.comesTo(ConnectionState::writing, streams.size()));
    for (int i = 0; i < 100; ++i) {
        REQUIRE(get(server.port(), "/").body == "short");
    }
    CHECK(shutdownWithin(server, 10ms).cut == streams.size());
}

TEST_CASE("library: while all threads are blocked idle connections still end at their limit") {
    Flag finish;
    Served server(
        [&](HTTPServerRequest& request, HTTPServerResponse& response) {
            if (request.getURI() == "/blocked") {
                finish.wait();
            }
            answer(response, "done");
        },
        {.threads = 1, .queue = 1, .keepAliveTimeout = 200ms});
    auto idle = server.send(httpRequest("GET", "/"));
    REQUIRE(idle.readResponse(10s).keepsAlive());
    auto leaves = Connection::to(server.port());
    auto blocked = server.send(httpRequest("GET", "/blocked"));
    REQUIRE(server.comesTo(ConnectionState::handling));
    CHECK(idle.readBytes(1, 10s).outcome == Outcome::closed);
    leaves.close();
    CHECK(eventually([&] { return server->connections().size() == 1; }, 10s));
    CHECK(server->counters().refused == 0); // none of them was a request
    finish.set();
    CHECK(blocked.readResponse(10s).body == "done");
}

TEST_CASE("library: threads that are free again take what was queued first") {
    Flag finish;
    Served server(answersWhen(finish, "done"), {.threads = 3, .queue = 50});
    std::vector<Connection> clients;
    for (int i = 0; i < 53; ++i) {
        clients.push_back(server.send(httpRequest("GET", "/")));
    }
    REQUIRE(server.comesTo(ConnectionState::handling, 3));
    REQUIRE(server.comesTo(ConnectionState::queued, 50));
    CHECK(server.send(httpRequest("GET", "/")).readResponse(10s).status == 503);
    finish.set();
    for (Connection& client : clients) {
        CHECK(client.readResponse(10s).body == "done");
    }
    CHECK(server->counters().refused == 1);
}
