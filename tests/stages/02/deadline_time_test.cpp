#include "catch.h"
#include "moments.h"
#include "process.h"
#include "stage.h"
#include "time_limit.h"

#include <csignal>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// Median time from the signal to the end: a hiccup of the machine is not the program's doing.
Clock::duration usualEnd(const std::vector<std::string>& options) {
    std::vector<Clock::duration> times;
    for (int run = 0; run < 9; ++run) {
        const Process process(stage("02_timeout", options));
        process.waitForEvent("ready");
        const auto askedAt = Clock::now();
        process.signal(SIGTERM);
        times.push_back(process.waitForExit(10s).at - askedAt);
    }
    return median(times);
}

} // namespace

TEST_CASE("02: the process ends within 10 ms of the deadline") {
    const auto took = usualEnd({"--work=1h", "--timeout=100ms"});
    CAPTURE(milliseconds(took));
    CHECK(took >= 100ms);
    CHECK(took <= 100ms + limit(10ms));
}

TEST_CASE("02: the process ends with its work and does not wait for the deadline") {
    const auto took = usualEnd({"--work=100ms", "--timeout=1h"});
    CAPTURE(milliseconds(took));
    CHECK(took >= 100ms);
    CHECK(took <= 100ms + limit(10ms));
}
