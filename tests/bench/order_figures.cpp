#include <unistd.h>

#include <chrono>
#include <ratio>
#include <string>

#include "figures.h"
#include "lifecycle/event_log.h"
#include "orders/order_store.h"
#include "temp_dir.h"

namespace lifecycle::bench {
namespace {

constexpr int orders = 10'000;

/// Queues the orders as fast as the store takes them, then drains it; returns how long the drain took.
double drainMilliseconds() {
    const test::TempDir directory;
    EventLog events;
    stage::OrderStore store({.path = directory.path() / "orders.db", .queue = orders}, events);
    for (int i = 0; i < orders; ++i) {
        store.tryPut({"tea", 1});
    }
    const auto begin = Clock::now();
    store.finish(Context::background());
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// Puts orders for a while, waiting when the queue is full; returns the rate up to the last one stored.
double storedPerSecond(std::chrono::milliseconds duration) {
    const test::TempDir directory;
    EventLog events;
    stage::OrderStore store({.path = directory.path() / "orders.db", .queue = orders}, events);
    const auto begin = Clock::now();
    while (Clock::now() - begin < duration) {
        if (store.tryPut({"tea", 1}).refusal != stage::OrderStore::Refusal::none) {
            ::usleep(100);
        }
    }
    store.finish(Context::background());
    const std::chrono::duration<double> took = Clock::now() - begin;
    return static_cast<double>(store.counters().stored) / took.count();
}

}  // namespace

Figure orderStorage(const Effort& effort) {
    Sample rate;
    Sample drain;
    for (int run = 0; run < effort.runs(10, 2); ++run) {
        rate.add(storedPerSecond(std::chrono::milliseconds(effort.quick ? 200 : 1000)));
        drain.add(drainMilliseconds());
    }
    return {.name = "orders",
            .meaning = "orders stored in SQLite, and the time to drain a queue of 10,000",
            .lines = {medianLine("stored", "1/s", rate), medianLine("drain of 10,000", "ms", drain)}};
}

}  // namespace lifecycle::bench
