#include "catch.h"
#include "deadline.h"
#include "flag.h"
#include "time_limit.h"

#include "lifecycle/gate.h"

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using lifecycle::Context;
using lifecycle::Gate;
using lifecycle::test::eventually;
using lifecycle::test::Flag;
using lifecycle::test::slowdown;

TEST_CASE("library: a gate counts its guards and lets nobody in once it is closed") {
    Gate gate;
    CHECK_FALSE(gate.closed());
    {
        const auto first = gate.tryEnter();
        const auto second = gate.tryEnter();
        REQUIRE(first);
        REQUIRE(second);
        CHECK(gate.count() == 2);
        gate.close();
        gate.close(); // again: no effect
        CHECK(gate.closed());
        CHECK_FALSE(gate.tryEnter());
        CHECK(gate.count() == 2);
    }
    CHECK(gate.count() == 0);
    CHECK(gate.wait(Context::background()));
    CHECK_FALSE(gate.tryEnter());
}

TEST_CASE("library: a closed gate that is empty is not waited for") {
    Gate gate;
    gate.close();
    CHECK(gate.wait(Context::background()));
    CHECK(gate.wait(Context::background()));
}

TEST_CASE("library: waiting at an open gate is an error of the program") {
    Gate gate;
    CHECK_THROWS_AS(gate.wait(Context::background()), std::logic_error);
}

TEST_CASE("library: a wait ends with the context and can be taken up again") {
    Gate gate;
    auto guard = gate.tryEnter();
    gate.close();
    CHECK_FALSE(gate.wait(withTimeout(Context::background(), 5ms).context));

    auto [context, cancel] = withCancel(Context::background());
    std::thread canceller([&cancel = cancel] { cancel(); });
    CHECK_FALSE(gate.wait(context));
    canceller.join();

    guard.reset();
    CHECK(gate.wait(context)); // empty counts, even if the context is done
}

TEST_CASE("library: several threads wait for the same gate") {
    Gate gate;
    auto guard = gate.tryEnter();
    gate.close();
    std::atomic<int> woken = 0;
    std::vector<std::thread> waiters;
    for (int i = 0; i < 4; ++i) {
        waiters.emplace_back([&] { woken += gate.wait(Context::background()) ? 1 : 0; });
    }
    guard.reset();
    for (std::thread& waiter : waiters) {
        waiter.join();
    }
    CHECK(woken == 4);
}

TEST_CASE("library: a guard that is moved leaves the gate once") {
    Gate gate;
    std::optional<Gate::Guard> first = gate.tryEnter();
    Gate::Guard second = std::move(*first);
    first.reset();
    CHECK(gate.count() == 1);

    std::optional<Gate::Guard> third = gate.tryEnter();
    CHECK(gate.count() == 2);
    *third = std::move(second); // swaps
    CHECK(gate.count() == 2);
    third.reset();
    CHECK(gate.count() == 1);
    { const Gate::Guard last = std::move(second); }
    CHECK(gate.count() == 0);
}

// Eight threads come and go while another closes: whoever got in is out again when wait returns,
// and the gate may be destroyed at once.
TEST_CASE("library: everybody who got in has left when wait returns") {
    for (int round = 0; round < 200 / slowdown; ++round) {
        auto gate = std::make_unique<Gate>();
        std::atomic<int> inside = 0;
        std::atomic<int> entered = 0;
        std::vector<std::thread> guests;
        for (int i = 0; i < 8; ++i) {
            guests.emplace_back([&inside, &entered, &gate = *gate] {
                while (const auto guard = gate.tryEnter()) {
                    ++entered;
                    ++inside;
                    --inside;
                }
            });
        }
        while (entered < 20) {
            std::this_thread::yield();
        }
        gate->close();
        REQUIRE(gate->wait(Context::background()));
        REQUIRE(inside == 0);
        for (std::thread& guest : guests) {
            guest.join();
        }
        REQUIRE(gate->count() == 0);
    }
}

TEST_CASE("library: a gate may be destroyed as soon as wait has returned") {
    for (int round = 0; round < 2000 / slowdown; ++round) {
        auto gate = std::make_unique<Gate>();
        std::optional<Gate::Guard> guard = gate->tryEnter();
        std::thread guest([guard = std::move(*guard)]() mutable { const auto ended = std::move(guard); });
        std::thread refused([&gate = *gate] { static_cast<void>(gate.tryEnter()); });
        gate->close();
        refused.join(); // a call to the gate must have returned; a guard may be about to
        REQUIRE(gate->wait(Context::background()));
        gate.reset();
        guest.join();
    }
}
