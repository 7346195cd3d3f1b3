#include "catch.h"
#include "time_limit.h"

#include "lifecycle/context.h"
#include "lifecycle/gate.h"

#include <algorithm>
#include <atomic>

using namespace std::chrono_literals;
using lifecycle::Clock;
using lifecycle::Context;
using lifecycle::Duration;
using lifecycle::Gate;
using lifecycle::TimePoint;
using lifecycle::test::slowdown;

namespace {

/// The shortest of some runs: what the code costs when nothing else wants the processor.
template <typename Function>
Duration shortest(Function function) {
    Duration best = Duration::max();
    for (int run = 0; run < 7; ++run) {
        const TimePoint begin = Clock::now();
        function();
        best = std::min<Duration>(best, Clock::now() - begin);
    }
    return best;
}

} // namespace

TEST_CASE("library: a deadline passes within 3 ms of its time") {
    Duration best = Duration::max();
    for (int i = 0; i < 21; ++i) {
        const TimePoint deadline = Clock::now() + 10ms;
        const Context context = withDeadline(Context::background(), deadline).context;
        context.wait();
        best = std::min<Duration>(best, Clock::now() - deadline);
    }
    CHECK(best >= 0ns);
    CHECK(best <= 3ms * slowdown);
}

TEST_CASE("library: entering and leaving a gate costs no more than three times two additions") {
    constexpr int times = 200'000;
    Gate gate;
    std::atomic<std::uint64_t> number = 0;
    const Duration additions = shortest([&] {
        for (int i = 0; i < times; ++i) {
            number.fetch_add(1);
            number.fetch_sub(1);
        }
    });
    const Duration visits = shortest([&] {
        for (int i = 0; i < times; ++i) {
            if (!gate.tryEnter()) {
                FAIL("closed");
            }
        }
    });
    CHECK(visits <= 3 * additions * slowdown);
}
