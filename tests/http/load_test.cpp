// Many clients at once, and a shutdown in the middle of it.

#include "catch.h"
#include "load.h"
#include "served.h"
#include "time_limit.h"

#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>

#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::ConnectionState;
using lifecycle::Context;
using lifecycle::requestContext;
using lifecycle::ShutdownResult;

namespace {

/// A server and its busy clients, which end when their server refuses them. Several go side by side.
struct Busy {
    // The long grace is for clients that have connected, and on a crowded machine have to wait for
    // the processor before they can send.
    explicit Busy(bool keepAlive)
        : server(hello, {.keepAliveGrace = 10s}), load({.port = server.port(),
                               .clients = 4,
                               .keepAlive = keepAlive,
                               .target = "/"}) {}
    Served server;
    LoadClients load;
};

void expectNothingLost(int batches, int serversOfEach, bool keepAlive) {
    for (int batch = 0; batch < batches; ++batch) {
        std::vector<std::unique_ptr<Busy>> all;
        for (int i = 0; i < serversOfEach; ++i) {
            all.push_back(std::make_unique<Busy>(keepAlive));
        }
        std::vector<ShutdownResult> results;
        for (const auto& busy : all) {
            REQUIRE(eventually([&] { return busy->load.answered() > 20; }, 30s));
            results.push_back(busy->server->shutdown(withTimeout(Context::background(), 20s).context));
        }
        for (std::size_t i = 0; i < all.size(); ++i) {
            const LoadResult load = all[i]->load.wait();
            CAPTURE(batch, i, load);
            CHECK(load.lost == 0);
            CHECK(load.timedOut == 0);
            CHECK(load.failedConnects == 0);
            CHECK(results[i].served == load.answeredWith(200));
            CHECK(results[i].clean());
        }
    }
}

std::size_t lostAroundPlainStops(int stops) {
    std::size_t lost = 0;
    for (int i = 0; i < stops; ++i) {
        Poco::ThreadPool threads(8, 16);
        auto server = std::make_unique<Poco::Net::HTTPServer>(
            new FunctionFactory(hello), threads,
            Poco::Net::ServerSocket(Poco::Net::SocketAddress("127.0.0.1", 0)),
            new Poco::Net::HTTPServerParams);
        server->start();
        LoadClients load({.port = server->port(), .clients = 4, .target = "/"});
        CHECK(eventually([&] { return load.answered() > 20; }, 30s));
        server->stopAll(false);
        server.reset(); // or the clients' connects would stay in its backlog
        lost += load.wait().lost;
        threads.joinAll();
    }
    return lost;
}

} // namespace

TEST_CASE("library: a hundred shutdowns lose nothing of busy keep-alive clients") {
    expectNothingLost(slowdown > 1 ? 3 : 10, 10, true);
}

TEST_CASE("library: fifty shutdowns lose nothing of clients that connect for each request") {
    expectNothingLost(slowdown > 1 ? 2 : 5, 10, false);
}

// The same load and the same counting: what proves that the tests above can fail.
TEST_CASE("library: stopping a plain Poco server loses requests of busy keep-alive clients") {
    CHECK(lostAroundPlainStops(10) > 0);
}

TEST_CASE("library: under rude clients every request is served or refused or cut") {
    for (int round = 0; round < 20 / (slowdown > 1 ? 4 : 1); ++round) {
        Served server(
            [](HTTPServerRequest& request, HTTPServerResponse& response) {
                if (request.getURI() == "/slow") {
                    static_cast<void>(requestContext(request).waitFor(3ms));
                }
                answer(response, std::string(20'000, 'x'));
            },
            {.threads = 4, .queue = 4, .keepAliveGrace = 20ms});
        std::atomic<bool> stop = false;
        std::vector<std::thread> clients;
        for (int i = 0; i < 12; ++i) {
            clients.emplace_back([&, i] {
                std::mt19937 random(static_cast<unsigned>(round * 100 + i));
                while (!stop) {
                    auto connection = Connection::to(server.port(), 50ms);
                    if (connection.error() == std::errc::connection_refused) {
                        return;
                    }
                    if (connection.error()) {
                        continue; // no time left for a handshake
                    }
                    const std::string request = httpRequest("GET", random() % 2 ? "/slow" : "/fast");
                    const auto part = random() % 4 == 0 ? random() % request.size() : request.size();
                    connection.send(request.substr(0, part), 1s);
                    switch (random() % 4) {
                    case 0: connection.reset(); break;
                    case 1: connection.close(); break;
                    case 2: connection.halfClose(); [[fallthrough]];
                    default: connection.readResponse(50ms); break;
                    }
                }
            });
        }
        REQUIRE(eventually([&] { return server->counters().served > 100; }, 20s));
        const auto timeout = round % 2 == 0 ? 10s : 1ms; // drained, or cut
        const ShutdownResult result = server->shutdown(withTimeout(Context::background(), timeout).context);
        stop = true;
        for (std::thread& client : clients) {
            client.join();
        }
        REQUIRE(eventually([&] { return server.handlersAlive() == 0; }, 10s));

        // A cut request may have been in the queue, with no event of its own yet.
        const std::size_t begun = server.events().all("request.begin").size();
        const std::size_t refused = server.events().all("request.refused").size();
        CAPTURE(round, begun, refused, result.served, result.refused, result.cut);
        CHECK(result.refused == refused);
        CHECK(result.served + result.cut >= begun);
        CHECK(result.served <= begun);
        if (result.cut == 0) {
            CHECK(result.served == begun);
        }
        CHECK(static_cast<std::size_t>(server.handlersMade()) == begun);
    }
}

TEST_CASE("library: every request of a shutdown that cuts is served or cut") {
    for (int batch = 0; batch < (slowdown > 1 ? 1 : 2); ++batch) {
        std::vector<std::unique_ptr<Busy>> all;
        for (int i = 0; i < 10; ++i) {
            all.push_back(std::make_unique<Busy>(true));
        }
        for (const auto& busy : all) {
            REQUIRE(eventually([&] { return busy->load.answered() > 20; }, 30s));
            const auto result = busy->server->shutdown(withTimeout(Context::background(), 0s).context);
            const auto counted = static_cast<int>(result.served + result.cut);
            // What was cut on its way to a thread has no handler: at most one request of each client.
            CHECK(eventually([&] { return busy->server->connections().empty(); }, 10s));
            CHECK(counted >= busy->server.handlersMade());
            CHECK(counted <= busy->server.handlersMade() + 4);
        }
    }
}

TEST_CASE("library: a thousand idle connections come late with a last request and none is lost") {
    Served server(hello, {.keepAliveGrace = 10s});
    std::vector<Connection> clients;
    for (int i = 0; i < 1000 / slowdown; ++i) {
        clients.push_back(server.send(httpRequest("GET", "/")));
        REQUIRE(clients.back().readResponse(10s).keepsAlive());
    }
    ShutdownResult result;
    std::thread shutdown([&] { result = server->shutdown(withTimeout(Context::background(), 20s).context); });
    REQUIRE(eventually([&] { return !server.events().all("drain.begin").empty(); }, 10s));
    for (Connection& client : clients) {
        client.send(httpRequest("GET", "/"));
    }
    for (Connection& client : clients) {
        const Response response = client.readResponse(10s);
        CHECK(response.status == 200);
        CHECK(response.header("Connection") == "close");
    }
    shutdown.join();
    CHECK(result.clean());
    CHECK(result.served == 2 * clients.size());
}

// Requests race the end of the grace: each is answered whole, or its connection closed.
TEST_CASE("library: a request that races the end of the grace breaks nothing") {
    for (int round = 0; round < 20 / slowdown + 1; ++round) {
        Served server(hello, {.threads = 2, .keepAliveGrace = 20ms});
        std::vector<Connection> clients;
        for (int i = 0; i < 100; ++i) {
            clients.push_back(server.send(httpRequest("GET", "/")));
            REQUIRE(clients.back().readResponse(10s).keepsAlive());
        }
        REQUIRE(server.comesTo(ConnectionState::idle, clients.size()));
        ShutdownResult result;
        std::thread shutdown(
            [&] { result = server->shutdown(withTimeout(Context::background(), 20s).context); });
        const auto begin = Clock::now();
        for (Connection& client : clients) {
            std::this_thread::sleep_until(begin + (&client - clients.data()) * 300us);
            client.send(httpRequest("GET", "/"));
        }
        for (Connection& client : clients) {
            const Response response = client.readResponse(10s);
            REQUIRE(response.outcome != Outcome::truncated);
            REQUIRE(response.outcome != Outcome::malformed);
            REQUIRE(response.outcome != Outcome::timeout);
        }
        shutdown.join();
        CHECK(result.clean());
    }
}
