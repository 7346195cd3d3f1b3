#include "catch.h"
#include "flag.h"
#include "served.h"
#include "time_limit.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::ConnectionState;
using lifecycle::Context;
using lifecycle::Duration;

namespace {

/// What the server takes when it has the processor: on a busy machine others have it now and then.
Duration shortest(const std::vector<Duration>& durations) {
    return *std::min_element(durations.begin(), durations.end());
}

} // namespace

TEST_CASE("library: the shutdown of an idle server takes at most 3 ms") {
    std::vector<Duration> times;
    for (int i = 0; i < 21; ++i) {
        Served server(hello);
        times.push_back(server->shutdown(Context::background()).took);
    }
    CHECK(shortest(times) <= 3ms * slowdown);
}

TEST_CASE("library: a shutdown ends at most 5 ms after the last answer") {
    std::vector<Duration> times;
    for (int i = 0; i < 11; ++i) {
        Flag finish;
        Served server(answersWhen(finish, "done"));
        auto client = server.send(httpRequest("GET", "/"));
        REQUIRE(server.comesTo(ConnectionState::handling));
        Clock::time_point ended;
        std::thread shutdown([&] {
            server->shutdown(withTimeout(Context::background(), 20s).context);
            ended = Clock::now();
        });
        REQUIRE(eventually([&] { return !server.events().all("drain.begin").empty(); }, 10s));
        finish.set();
        const Response response = client.readResponse(10s);
        shutdown.join();
        times.push_back(ended - response.finishedAt);
    }
    CHECK(shortest(times) <= 5ms * slowdown);
}

TEST_CASE("library: a shutdown ends at most 5 ms after its deadline") {
    std::vector<Duration> late;
    for (int i = 0; i < 11; ++i) {
        auto finish = std::make_shared<Flag>();
        Served server([finish](HTTPServerRequest&, HTTPServerResponse&) { finish->wait(); });
        auto client = server.send(httpRequest("GET", "/"));
        REQUIRE(server.comesTo(ConnectionState::handling));
        const Context context = withTimeout(Context::background(), 20ms).context;
        server->shutdown(context);
        late.push_back(Clock::now() - *context.deadline());
        finish->set();
    }
    CHECK(shortest(late) <= 5ms * slowdown);
}

TEST_CASE("library: two hundred idle connections delay a shutdown by the grace and 20 ms") {
    std::vector<Duration> times;
    for (int i = 0; i < 5; ++i) {
        Served server(hello, {.keepAliveGrace = 50ms});
        std::vector<Connection> clients;
        for (int j = 0; j < 200; ++j) {
            clients.push_back(server.send(httpRequest("GET", "/")));
            REQUIRE(clients.back().readResponse(10s).keepsAlive());
        }
        times.push_back(server->shutdown(Context::background()).took);
    }
    CHECK(shortest(times) <= 50ms + 20ms * slowdown);
}
