#include "catch.h"
#include "container.h"
#include "http_client.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// The service and its Redis in containers on a network of their own.
struct Pair {
    Network network;
    Container redis{"lab-redis", {"--network", network.name(), "--network-alias", "redis"}};
    Container service{"lab",
                      {"--network", network.name(), "--env", "LAB_REDIS=redis:6379", "--env",
                       "LAB_WORK=10ms", "--env", "LAB_TIMEOUT=60s", "--env", "LAB_GRACE=62s"}};

    Pair() { REQUIRE(service.tells("ready")); }

    /// How many of so many GET /incr were answered 200.
    int increment(int times) const {
        const int port = service.port();
        int accepted = 0;
        for (int i = 0; i < times; ++i) {
            accepted += get(port, "/incr").status == 200 ? 1 : 0;
        }
        return accepted;
    }

    int end() const {
        docker({"stop", "--time", "62", service.id()});
        return service.exitCode();
    }

    std::string counter() const {
        return docker({"exec", redis.id(), "redis-cli", "get", "counter"});
    }
};

} // namespace

TEST_CASE("06: a Redis container killed and back loses nothing") {
    if (!dockerIsAvailable()) {
        return;
    }
    const Pair pair;
    CHECK(pair.increment(10) == 10);
    docker({"kill", pair.redis.id()});
    CHECK(pair.increment(10) == 10);
    REQUIRE(pair.service.tells("redis.failing"));
    docker({"start", pair.redis.id()});
    REQUIRE(pair.service.tells("redis.recovered"));
    CHECK(pair.increment(10) == 10);
    CHECK(pair.end() == 0);
    CHECK(pair.counter() == "30");
}

TEST_CASE("06: a Redis container paused and on again loses nothing and doubles nothing") {
    if (!dockerIsAvailable()) {
        return;
    }
    const Pair pair;
    CHECK(pair.increment(10) == 10);
    docker({"pause", pair.redis.id()});
    CHECK(pair.increment(10) == 10);
    REQUIRE(pair.service.tells("redis.failing"));
    docker({"unpause", pair.redis.id()});
    REQUIRE(pair.service.tells("redis.recovered"));
    CHECK(pair.end() == 0);
    CHECK(pair.counter() == "20");
}
