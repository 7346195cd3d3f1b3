#include "catch.h"
#include "probe.h"
#include "process.h"
#include "recorded_events.h"

#include "lifecycle/exit_code.h"
#include "lifecycle/grace_period.h"
#include "lifecycle/lame_duck.h"
#include "lifecycle/shutdown_outcome.h"

#include <csignal>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle;
using lifecycle::test::probe;
using lifecycle::test::Process;
using lifecycle::test::RecordedEvents;

namespace {

/// What a service that ends with `outcome` prints when its objects are destroyed, and its exit code.
struct Ended {
    int code;
    std::string destroyed;
};

Ended serviceThatEnds(const std::string& outcome) {
    const Process service(probe("service", {outcome}));
    service.waitForEvent("ready");
    service.signal(SIGTERM);
    const int code = service.waitForExit(10s).code;
    CHECK(service.waitForEvent("exit").number("code") == code);
    return {code, service.standardOutput()};
}

} // namespace

TEST_CASE("library: the exit code names the worst of what a shutdown could not do") {
    CHECK(ShutdownOutcome{}.exitCode() == exitClean);
    CHECK(ShutdownOutcome{.stillRunning = true}.exitCode() == exitClean);
    CHECK(ShutdownOutcome{.hookFailed = true}.exitCode() == exitHookFailed);
    CHECK(ShutdownOutcome{.workCut = true}.exitCode() == exitWorkCut);
    CHECK(ShutdownOutcome{.workCut = true, .hookFailed = true}.exitCode() == exitWorkCut);
}

TEST_CASE("library: a service whose threads have ended destroys its objects before it exits") {
    for (const auto& [outcome, code] : {std::pair("clean", 0), std::pair("hook-failed", 70)}) {
        CAPTURE(outcome);
        const Ended ended = serviceThatEnds(outcome);
        CHECK(ended.code == code);
        CHECK(ended.destroyed == "destroyed\n");
    }
}

TEST_CASE("library: a service that left a thread behind exits and destroys nothing that the thread may use") {
    for (const auto& [outcome, code] : {std::pair("work-cut", 75), std::pair("still-running", 0)}) {
        CAPTURE(outcome);
        const Ended ended = serviceThatEnds(outcome);
        CHECK(ended.code == code);
        CHECK(ended.destroyed.empty());
    }
}

TEST_CASE("library: a service that cannot start prints one line with the reason and exits with 69") {
    for (const auto& [how, line] : {std::pair("throws", "probe: no disk"), std::pair("throws-poco", "probe: Not found: no disk")}) {
        CAPTURE(how);
        const Process service(probe("service", {how}));
        CHECK(service.waitForExit(10s).code == exitUnavailable);
        REQUIRE(service.standardError().size() == 1);
        CHECK(service.standardError()[0].text == line);
    }
}

TEST_CASE("library: the steps of a shutdown are added up and held against the grace period") {
    RecordedEvents events;
    CHECK(checkGracePeriod({2s, 7s, 1s}, 10s, events.log()));
    CHECK_FALSE(checkGracePeriod({2s, 7s, 1001ms}, 10s, events.log()));
    CHECK(checkGracePeriod({2s, 1h}, 0s, events.log()));
    CHECK_FALSE(checkGracePeriod({Duration::max(), Duration::max()}, 10s, events.log()));

    const auto plans = events.all("plan.total");
    REQUIRE(plans.size() == 4);
    CHECK(plans[0].field("at_most") == "10s");
    CHECK(plans[0].field("grace") == "10s");
    CHECK_FALSE(plans[0].has("warning"));
    CHECK(plans[1].field("at_most") == "10.001s");
    CHECK(plans[1].field("warning").find("killed") != std::string::npos);
    CHECK_FALSE(plans[2].has("grace"));
    CHECK(plans[3].has("warning"));
}

TEST_CASE("library: a lame duck ends with its context, and one without time is not logged") {
    RecordedEvents events;
    serveLameDuck(0s, Context::background(), events.log());
    CHECK(events.all().empty());
    serveLameDuck(1h, withTimeout(Context::background(), 1ms).context, events.log());
    CHECK(events.all("lame_duck.begin").size() == 1);
    CHECK(events.all("lame_duck.end").size() == 1);
}
