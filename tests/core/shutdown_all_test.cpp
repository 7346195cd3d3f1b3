#include "catch.h"
#include "flag.h"
#include "hook_diary.h"
#include "time_limit.h"

#include "lifecycle/shutdown_all.h"

#include <atomic>
#include <memory>
#include <stdexcept>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::Context;
using lifecycle::HooksReport;
using lifecycle::HookStatus;

TEST_CASE("library: servers end side by side and one that fails or hangs does not hold the others") {
    const auto flag = std::make_shared<Flag>();
    std::atomic<int> ended = 0;
    const auto begin = lifecycle::Clock::now();
    const HooksReport report = lifecycle::shutdownAll(
        {{"hangs", [flag](const Context&) { flag->wait(60s); }},
         {"good", [&](const Context&) { ++ended; }},
         {"fails", [](const Context&) { throw std::runtime_error("no"); }},
         {"too good", [&](const Context&) { ++ended; }}},
        withTimeout(Context::background(), 100ms).context);
    CHECK(lifecycle::Clock::now() - begin < 1s * slowdown);
    CHECK(ended == 2);
    CHECK(named(report, "hangs").status == HookStatus::timedOut);
    CHECK(named(report, "fails").error == "no");
    CHECK(named(report, "good").status == HookStatus::ok);
    flag->set();
}

TEST_CASE("library: under a context that is done every server is still told to shut down") {
    const auto [over, cancel] = withCancel(Context::background());
    cancel("too late");
    std::atomic<int> told = 0;
    const auto cuts = [&](const Context& context) { told += context.cause() == "too late" ? 1 : 0; };
    const HooksReport report = lifecycle::shutdownAll({{"one", cuts}, {"two", cuts}, {"three", cuts}}, over);
    CHECK(eventually([&] { return told == 3; }, 10s)); // a slow one has been left behind
    CHECK((report.allOk() || slowdown > 1));
}
