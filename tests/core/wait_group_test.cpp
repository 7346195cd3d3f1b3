#include "catch.h"
#include "deadline.h"
#include "flag.h"

#include "lifecycle/wait_group.h"

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using lifecycle::Context;
using lifecycle::WaitGroup;
using lifecycle::test::eventually;
using lifecycle::test::Flag;

TEST_CASE("library: a wait group waits for all work that was added") {
    WaitGroup jobs;
    std::atomic<int> done = 0;
    for (int i = 0; i < 20; ++i) {
        REQUIRE(jobs.go([&] { ++done; }));
    }
    auto guard = jobs.tryAdd();
    std::thread job([&done, guard = std::move(*guard)]() mutable {
        ++done;
        const auto ended = std::move(guard);
    });
    CHECK(jobs.wait(Context::background()));
    CHECK(done == 21);
    CHECK(jobs.count() == 0);
    job.join();
}

TEST_CASE("library: work is refused once a wait has begun") {
    WaitGroup jobs;
    CHECK(jobs.wait(Context::background()));
    CHECK_FALSE(jobs.tryAdd());
    std::atomic<bool> called = false;
    CHECK_FALSE(jobs.go([&] { called = true; }));
    CHECK_FALSE(called);
}

TEST_CASE("library: work is refused while somebody waits for what there is") {
    WaitGroup jobs;
    Flag finish;
    REQUIRE(jobs.go([&] { finish.wait(); }));
    std::atomic<bool> returned = false;
    std::thread waiter([&] {
        jobs.wait(Context::background());
        returned = true;
    });
    CHECK(eventually([&] { return !jobs.tryAdd(); }, 10s));
    CHECK_FALSE(jobs.go([] {}));
    CHECK(jobs.count() == 1);
    CHECK_FALSE(returned);
    finish.set();
    waiter.join();
}

TEST_CASE("library: the wait for work ends with the context and tells how much is left") {
    WaitGroup jobs;
    Flag finish;
    REQUIRE(jobs.go([&] { finish.wait(); }));
    CHECK_FALSE(jobs.wait(withTimeout(Context::background(), 5ms).context));
    CHECK(jobs.count() == 1);
    CHECK_FALSE(jobs.tryAdd());
    finish.set();
    CHECK(jobs.wait(Context::background()));
}

TEST_CASE("library: what the work holds is gone before it counts as done") {
    WaitGroup jobs;
    auto resource = std::make_shared<int>(0);
    const std::weak_ptr<int> watched = resource;
    REQUIRE(jobs.go([resource = std::move(resource)] {}));
    CHECK(jobs.wait(Context::background()));
    CHECK(watched.expired());
}

TEST_CASE("library: work may add further work until the wait begins") {
    WaitGroup jobs;
    std::atomic<int> done = 0;
    Flag added;
    REQUIRE(jobs.go([&] {
        jobs.go([&] { ++done; });
        ++done;
        added.set();
    }));
    REQUIRE(added.wait());
    CHECK(jobs.wait(Context::background()));
    CHECK(done == 2);
}
