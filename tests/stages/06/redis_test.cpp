#include "another_user.h"
#include "catch.h"
#include "increment_server.h"
#include "load.h"
#include "moments.h"
#include "redis_proxy.h"
#include "redis_server.h"
#include "time_limit.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

std::string at(const std::string& address) {
    return "--redis=" + address;
}

/// A server that counts in this Redis, and clients in the middle of counting. What happens to Redis is
/// for the test; what was answered must be counted, and once.
class CountingUnderLoad {
public:
    explicit CountingUnderLoad(const RedisServer& redis)
        : redis_(redis),
          server_({at(redis.address()), "--work=50ms", "--timeout=60s"}),
          load_({.port = server_.port(), .clients = 4, .target = "/incr", .thinkTime = 5ms}) {
        REQUIRE(answersSoMany(100));
    }

    void waitForEvent(const std::string& word) const { server_.waitForEvent(word, 20s); }

    /// So many more, from now on.
    bool answersSoMany(std::size_t more) const {
        const std::size_t before = load_.answered();
        return eventually([&] { return load_.answered() > before + more; }, 20s);
    }

    void endsWithEveryAnswerCountedOnce() {
        CHECK(server_.end().code == 0);
        const LoadResult result = load_.wait();
        CHECK(result.lost == 0);
        CHECK(redis_.value() == static_cast<long long>(result.answeredWith(200)));
    }

private:
    const RedisServer& redis_;
    const IncrementServer server_;
    LoadClients load_;
};

bool counterIs(const IncrementServer& server, const std::string& value) {
    return eventually([&] { return get(server.port(), "/counter").body == value + "\n"; }, 20s);
}

} // namespace

TEST_CASE("06: two processes count in one Redis and the naive end loses what it has promised") {
    if (!RedisServer::available()) {
        return;
    }
    const RedisServer redis;
    const IncrementServer first({at(redis.address()), "--work=200ms"});
    const IncrementServer second({at(redis.address()), "--work=200ms"});
    CHECK(first.increment(10) == 10);
    CHECK(second.increment(10) == 10);
    CHECK(first.end().code == 0);
    CHECK(second.end().code == 0);
    CHECK(redis.value() == 20);
    CHECK(first.events("redis.closed").size() == 1);

    const IncrementServer naive({at(redis.address()), "--work=1h", "--naive"});
    CHECK(naive.increment(10) == 10);
    CHECK(naive.end().code == 0);
    CHECK(redis.value() == 20);
}

TEST_CASE("06: a connection cut between command and reply neither loses nor doubles an increment") {
    if (!RedisServer::available()) {
        return;
    }
    const RedisServer redis;
    RedisProxy proxy(redis.port());

    // What everybody writes first: try again if there is no reply.
    proxy.swallowReplies(10);
    for (int increment = 0; increment < 10; ++increment) {
        while (askRedis(proxy.port(), "INCR careless").empty()) {
        }
    }
    CHECK(proxy.swallowed() == 10);
    CHECK(redis.value("careless") == 20);

    const IncrementServer server({at(proxy.address()), "--work=1ms", "--timeout=60s"});
    proxy.swallowReplies(10);
    CHECK(server.increment(30) == 30);
    REQUIRE(eventually([&] { return proxy.swallowed() == 20; }, 30s));
    CHECK(server.end().code == 0);
    CHECK(redis.value() == 30);
    CHECK(server.summary().number("applied") == 30);
}

TEST_CASE("06: with every reply cut until the deadline it says that it does not know") {
    if (!RedisServer::available()) {
        return;
    }
    const RedisServer redis;
    RedisProxy proxy(redis.port());
    const IncrementServer server({at(proxy.address()), "--work=0s", "--timeout=500ms"});
    proxy.swallowReplies(1'000'000);
    CHECK(server.increment(2) == 2);
    REQUIRE(eventually([&] { return proxy.swallowed() >= 2; }, 20s));
    REQUIRE(eventually([&] { return redis.value() == 2; }, 20s));
    CHECK(server.end().code == 75);
    CHECK(server.summary().number("unapplied") == 2);
    CHECK(server.summary().field("note").find("at most") == 0);
    CHECK(redis.value() == 2);
}

TEST_CASE("06: Redis killed in the middle of a load and back loses nothing") {
    if (!RedisServer::available()) {
        return;
    }
    RedisServer redis;
    CountingUnderLoad counting(redis);
    redis.kill();
    counting.waitForEvent("redis.failing");
    REQUIRE(counting.answersSoMany(20)); // clients notice nothing
    redis.start();
    counting.waitForEvent("redis.recovered");
    counting.endsWithEveryAnswerCountedOnce();
}

TEST_CASE(
    "06: Redis stalled in the middle of a load and on again loses nothing and doubles nothing") {
    if (!RedisServer::available()) {
        return;
    }
    RedisServer redis;
    CountingUnderLoad counting(redis);
    redis.freeze();
    counting.waitForEvent("redis.failing"); // replies have not come in time, and are tried again
    redis.thaw();
    counting.waitForEvent("redis.recovered");
    counting.endsWithEveryAnswerCountedOnce();
}

TEST_CASE("06: Redis back before the deadline gets what was promised while it was away") {
    if (!RedisServer::available()) {
        return;
    }
    RedisServer redis;
    const IncrementServer server({at(redis.address()), "--work=1ms", "--timeout=60s"});
    redis.kill();
    CHECK(server.increment(10) == 10);
    server.signal(SIGTERM);
    server.waitForEvent("jobs.begin");
    redis.start();
    CHECK(server.waitForExit(60s).code == 0);
    CHECK(redis.value() == 10);
}

TEST_CASE(
    "06: Redis away at the deadline makes exit code 75 and the count of what is not applied") {
    if (!RedisServer::available()) {
        return;
    }
    RedisServer redis;
    const IncrementServer server({at(redis.address()), "--work=1ms", "--timeout=500ms"});
    redis.kill();
    CHECK(server.increment(4) == 4);
    CHECK(server.end().code == 75);
    CHECK(server.summary().number("applied") == 0);
    CHECK(server.summary().number("unapplied") == 4);
    CHECK(server.waitForEvent("deadline.hit").number("cut") == 4);
    redis.start();
    CHECK(redis.value() == 0);
}

TEST_CASE("06: while Redis is away the counter is 503 and the service ready") {
    if (!RedisServer::available()) {
        return;
    }
    RedisServer redis;
    const IncrementServer server({at(redis.address())});
    redis.kill();
    CHECK(get(server.port(), "/counter").status == 503);
    CHECK(get(server.port(), "/readyz").status == 200);
    redis.start();
    CHECK(counterIs(server, "0"));
}

TEST_CASE("06: a counter that is no number is told and nothing is applied") {
    if (!RedisServer::available()) {
        return;
    }
    const RedisServer redis;
    CHECK(askRedis(redis.port(), "SET counter broken") == "+OK");
    const IncrementServer server({at(redis.address()), "--work=0s", "--timeout=300ms"});
    CHECK(server.increment() == 1);
    CHECK(server.waitForEvent("redis.failing").field("error").find("integer") != std::string::npos);
    CHECK(get(server.port(), "/counter").status == 503);
    CHECK(askRedis(redis.port(), "SET counter 41") == "+OK");
    CHECK(counterIs(server, "42"));
    CHECK(server.end().code == 0);
}

TEST_CASE("06: without Redis at the start it waits a little and exits with 69") {
    const Process server(stage("06_docker", {"--port=0", "--redis=127.0.0.1:1"}));
    CHECK(server.waitForExit(30s).code == 69);
    CHECK(server.standardError().back().text.find("127.0.0.1:1") != std::string::npos);
    CHECK(server.events("redis.failing").size() == 1);
    CHECK(server.events("ready").empty());
}

TEST_CASE("06: asked to end while it waits for Redis it exits with 0 at once") {
    const Process server(stage("06_docker", {"--port=0", "--redis=127.0.0.1:1"}));
    server.waitForEvent("redis.failing");
    server.signal(SIGTERM);
    CHECK(server.waitForExit(10s).code == 0);
}

TEST_CASE("06: a Redis that comes a little later is waited for") {
    if (!RedisServer::available()) {
        return;
    }
    RedisServer redis;
    redis.kill();
    const Process server(stage("06_docker", {"--port=0", at(redis.address())}));
    server.waitForEvent("redis.failing");
    redis.start();
    server.waitForEvent("ready", 20s);
}

TEST_CASE("06: all that was promised is counted when no thread can be started any more") {
    if (!RedisServer::available()) {
        return;
    }
    const RedisServer redis;
    const Process server(wrapped(asLimitedUser(), stage("06_docker", {"--port=0", "--work=500ms", at(redis.address())})));
    const auto port = static_cast<int>(server.waitForEvent("ready", 20s).number("port"));
    for (int i = 0; i < 5; ++i) {
        CHECK(get(port, "/incr").status == 200);
    }
    forbidThreads(server.pid());
    server.signal(SIGTERM);
    CHECK(server.waitForExit(30s).code == 0);
    CHECK(redis.value() == 5);
}
