#include "catch.h"
#include "hello_server.h"
#include "load.h"

#include <array>
#include <memory>
#include <thread>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

constexpr std::size_t stops = 20;
constexpr int connections = 50;

/// 50 clients that connect and send one request each.
LoadPlan burstTo(const HelloServer& server, const std::string& target) {
    LoadPlan plan;
    plan.port = server.port();
    plan.clients = connections;
    plan.keepAlive = false;
    plan.target = target;
    plan.requestsPerClient = 1;
    return plan;
}

/// Every other time the clients begin to come when the server has begun to end, and has come to that point;
/// otherwise the signal comes between them, each time when a few more of them have been taken.
LoadResult bursts(const std::vector<std::string>& options, const std::string& target) {
    std::vector<std::unique_ptr<LoadClients>> all;
    for (std::size_t i = 0; i < stops; ++i) {
        const HelloServer server(options);
        std::thread signal;
        if (i % 2 == 0) {
            server.stop();
            server.waitForEvent(std::array{"signal", "readiness.off", "listener.closed"}[i / 2 % 3]);
        } else {
            signal = std::thread([&server, i] {
                static_cast<void>(eventually([&] { return server.events().size() > 2 * i; }, 20s));
                server.stop();
            });
        }
        all.push_back(std::make_unique<LoadClients>(burstTo(server, target)));
        if (signal.joinable()) {
            signal.join();
        }
        CHECK(server.waitForExit(20s).code == 0);
    }
    LoadResult total;
    for (const auto& clients : all) { // now: the last refusals come when the clients try again
        total.add(clients->wait());
    }
    return total;
}

} // namespace

TEST_CASE("03: a burst of 1000 connections racing the signal is never reset") {
    const LoadResult result = bursts({}, "/hello?work=1ms");
    CAPTURE(result);
    CHECK(result.lost == 0);
    CHECK(result.timedOut == 0);
    CHECK(result.failedConnects == 0);
    CHECK(result.answeredTotal() + result.refused == connections * stops);
    CHECK(result.answeredTotal() > 0);
    CHECK(result.refused > 0); // the signal came in the middle of it, in some of the stops
}

TEST_CASE("03: a burst with a full queue is served or refused or told 503 and never reset") {
    const LoadResult result = bursts({"--threads=1", "--queue=1"}, "/hello?work=20ms");
    CAPTURE(result);
    CHECK(result.lost == 0);
    CHECK(result.answeredWith(503) > 0);
    CHECK(result.answeredWith(200) + result.answeredWith(503) + result.refused ==
          connections * stops);
}

// Four threads and slow requests, so that most clients are queued when the first ones have their responses.
TEST_CASE("03: a burst racing the signal is reset by plain Poco and not by ours") {
    const auto lostBy = [](const std::string& strategy, std::size_t answered) {
        const HelloServer server({"--strategy=" + strategy, "--threads=4"});
        LoadClients clients(burstTo(server, "/hello?work=100ms"));
        REQUIRE(eventually([&] { return clients.answered() >= answered; }, 30s));
        server.stop();
        server.waitForExit(20s);
        return clients.wait().lost;
    };
    bool lost = false;
    for (std::size_t answered = 1; answered <= 10; ++answered) {
        lost = lost || lostBy("stopall", answered) > 0;
    }
    CHECK(lost);
    CHECK(lostBy("graceful", 1) == 0);
}
