#include "catch.h"
#include "time_limit.h"

#include "lifecycle/hooks.h"

#include <algorithm>

using namespace std::chrono_literals;
using lifecycle::Clock;
using lifecycle::Context;
using lifecycle::Duration;
using lifecycle::Hooks;
using lifecycle::TimePoint;
using lifecycle::test::slowdown;

TEST_CASE("library: 100 empty hooks take less than 5 ms each way they are arranged") {
    const int phases = GENERATE(1, 100);
    Duration fastest = Duration::max(); // of a few: the machine may be busy
    for (int attempt = 0; attempt < 200 && fastest >= 5ms * slowdown; ++attempt) {
        Hooks hooks;
        for (int i = 0; i < 100; ++i) {
            hooks.add({"empty", i % phases, 1s, [](const Context&) {}});
        }
        const TimePoint begin = Clock::now();
        hooks.run(withTimeout(Context::background(), 20s).context);
        fastest = std::min(fastest, Clock::now() - begin);
    }
    CHECK(fastest < 5ms * slowdown);
}
