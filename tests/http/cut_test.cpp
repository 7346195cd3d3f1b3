// What HttpServer::shutdown does when its context is done: it cuts.

#include "catch.h"
#include "concurrent_shutdown.h"
#include "flag.h"
#include "served.h"

#include <atomic>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::ConnectionState;
using lifecycle::Context;
using lifecycle::requestContext;
using lifecycle::ShutdownResult;

TEST_CASE("library: at the deadline what still runs is cut") {
    std::atomic<bool> woken = false;
    std::string cause;
    Served server([&](HTTPServerRequest& request, HTTPServerResponse&) {
        const Context context = requestContext(request);
        woken = context.waitFor(20s);
        cause = context.cause();
    });
    auto client = server.send(httpRequest("GET", "/slow"));
    REQUIRE(server.comesTo(ConnectionState::handling));
    const ShutdownResult result = shutdownWithin(server, 50ms);
    CHECK(result.cut == 1);
    CHECK(result.served == 0);
    CHECK_FALSE(result.clean());
    CHECK(client.readBytes(1, 10s).outcome == Outcome::closed);
    REQUIRE(eventually([&] { return server.handlersAlive() == 0; }, 10s));
    CHECK(woken);
    CHECK(cause == "time is up");
    CHECK(server.events().all("deadline.hit").at(0).number("cut") == 1);
}

TEST_CASE("library: a cut answer does not look whole") {
    Served server([&](HTTPServerRequest& request, HTTPServerResponse& response) {
        if (request.getURI() == "/sized") {
            response.setContentLength(100);
        } else if (request.getURI() == "/chunked") {
            response.setChunkedTransferEncoding(true);
        }
        response.send() << "half" << std::flush;
        static_cast<void>(requestContext(request).waitFor(20s));
    });
    std::vector<Connection> clients;
    for (const std::string path : {"/sized", "/chunked", "/until-close"}) {
        clients.push_back(server.send(httpRequest("GET", path)));
    }
    REQUIRE(server.comesTo(ConnectionState::writing, clients.size()));
    CHECK(shutdownWithin(server, 10ms).cut == clients.size());
    for (Connection& client : clients) {
        const Response response = client.readResponse(10s);
        CHECK((response.outcome == Outcome::truncated || response.outcome == Outcome::reset));
    }
}

TEST_CASE("library: a handler that ignores its context holds neither the shutdown nor the destructor") {
    Flag finish;
    Served server([&](HTTPServerRequest&, HTTPServerResponse& response) {
        finish.wait(30s);
        answer(response, "too late");
    });
    auto client = server.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(ConnectionState::handling));
    const ShutdownResult result = shutdownWithin(server, 50ms);
    CHECK(result.cut == 1);
    CHECK(result.took < 10s);
    CHECK(client.readBytes(1, 10s).outcome == Outcome::closed);
    const auto begin = Clock::now();
    SECTION("while the handler runs") {
        server.destroy();
        CHECK(Clock::now() - begin < 10s);
        CHECK(server.handlersAlive() == 1);
    }
    SECTION("when the handler has returned") {
        finish.set();
        REQUIRE(eventually([&] { return server.handlersAlive() == 0; }, 10s));
        server.destroy();
    }
    finish.set();
}

TEST_CASE("library: a request that waits for a thread at the deadline is cut and counted") {
    Served server(
        [&](HTTPServerRequest& request, HTTPServerResponse&) {
            static_cast<void>(requestContext(request).waitFor(20s));
        },
        {.threads = 1, .queue = 10});
    auto first = server.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(ConnectionState::handling));
    auto second = server.send(httpRequest("GET", "/"));
    auto half = server.send("GET / HT");
    REQUIRE(server.comesTo(ConnectionState::queued, 2));
    CHECK(shutdownWithin(server, 20ms).cut == 2);
    CHECK(first.readBytes(1, 10s).outcome == Outcome::closed);
    CHECK(second.readBytes(1, 10s).outcome != Outcome::complete);
    CHECK(half.readBytes(1, 10s).outcome != Outcome::complete);
}

TEST_CASE("library: a shutdown whose context is done already cuts at once") {
    Served server([&](HTTPServerRequest& request, HTTPServerResponse&) {
        static_cast<void>(requestContext(request).waitFor(20s));
    });
    auto client = server.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(ConnectionState::handling));
    auto [context, cancel] = withCancel(Context::background());
    cancel("hammer");
    CHECK(server->shutdown(context).cut == 1);
}

TEST_CASE("library: a shutdown can be cut by cancel") {
    Served server([&](HTTPServerRequest& request, HTTPServerResponse&) {
        static_cast<void>(requestContext(request).waitFor(20s));
    });
    auto client = server.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(ConnectionState::handling));
    auto [context, cancel] = withCancel(Context::background());
    std::thread canceller([&, &cancel = cancel] {
        drains(server);
        cancel("enough");
    });
    CHECK(server->shutdown(context).cut == 1);
    canceller.join();
    CHECK(server.events().all("deadline.hit").at(0).field("cause") == "enough");
}

TEST_CASE("library: a taken over socket is cut while its handler runs") {
    std::atomic<bool> ended = false;
    Served server([&](HTTPServerRequest& request, HTTPServerResponse& response) {
        Poco::Net::StreamSocket socket = takeOver(request, response);
        char byte;
        ended = socket.receiveBytes(&byte, 1) == 0;
    });
    auto client = server.send(httpRequest("GET", "/"));
    CHECK(client.readBytes(12, 10s).bytes == "HTTP/1.1 101");
    CHECK(shutdownWithin(server, 20ms).cut == 1);
    CHECK(eventually([&] { return ended.load(); }, 10s));
}

TEST_CASE("library: a socket that a handler passed on stays open when its request is cut") {
    Poco::Net::StreamSocket socket;
    Flag taken;
    Flag finish;
    Served server([&](HTTPServerRequest& request, HTTPServerResponse& response) {
        socket = takeOver(request, response);
        taken.set();
        finish.wait();
    });
    auto client = server.send(httpRequest("GET", "/"));
    REQUIRE(taken.wait());
    shutdownWithin(server, 10ms);
    finish.set();
    REQUIRE(eventually([&] { return server->connections().empty(); }, 10s));
    CHECK(socket.impl()->initialized()); // shut down, but not closed under its owner
}

TEST_CASE("library: where nothing is cut, no thread outlives the shutdown") {
    for (int round = 0; round < 40; ++round) {
        const auto resource = std::make_shared<int>();
        Served server([resource](auto&, auto& response) { response.send(); });
        std::vector<Connection> halves;
        for (int i = 0; i < 8; ++i) {
            halves.push_back(server.send("GET / HTTP/1.1\r\nHost:"));
        }
        REQUIRE(server.comesTo(ConnectionState::reading, halves.size()));
        CHECK(shutdownWithin(server, 10ms).cut == 0);
        server.destroy();
        REQUIRE(resource.use_count() == 1); // A thread would keep the server, and with it the handlers.
    }
}
