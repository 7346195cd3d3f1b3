#include "catch.h"
#include "moments.h"
#include "options_check.h"
#include "proc.h"
#include "process.h"
#include "skip.h"
#include "stage.h"
#include "story.h"
#include "time_limit.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("02: stop work in time ends with 0") {
    const Process process(stage("02_timeout", {"--work", "50ms", "--timeout", "20s"}));
    process.waitForEvent("ready");
    process.signal(SIGTERM);
    CHECK(process.waitForExit(10s).code == 0);
    CHECK(process.waitForEvent("shutdown.begin").field("cause") == "SIGTERM");
    CHECK(process.waitForEvent("shutdown.begin").field("deadline") == "20s");
    CHECK(process.events("deadline.hit").empty());
    checkStory(process);
}

TEST_CASE("02: stop work that is too slow ends with 75 at the deadline") {
    const Process process(stage("02_timeout", {"--work=1h", "--timeout=100ms"}));
    process.waitForEvent("ready");
    process.signal(SIGINT);
    CHECK(process.waitForExit(10s).code == 75);
    CHECK(process.waitForEvent("shutdown.begin").field("cause") == "SIGINT");
    CHECK(process.waitForEvent("deadline.hit").has("cut"));
    checkStory(process);
}

TEST_CASE("02: when the time to run is over it ends with that cause") {
    const Process process(stage("02_timeout", {"--run-for", "50ms", "--work", "1ms"}));
    CHECK(process.waitForExit(10s).code == 0);
    CHECK(process.events("signal").empty());
    const Event begin = process.waitForEvent("shutdown.begin");
    CHECK(begin.field("cause").find("--run-for 50ms") != std::string::npos);
    CHECK(begin.sinceStart >= 50ms);
    checkStory(process);
}

TEST_CASE("02: stop work after the time to run has the same deadline") {
    const Process process(
        stage("02_timeout", {"--run-for=10ms", "--work=1h", "--timeout=50ms"}));
    CHECK(process.waitForExit(10s).code == 75);
    checkStory(process);
}

TEST_CASE("02: once the time to run is over the first signal changes nothing and a second one forces the end") {
    const Process process(stage("02_timeout", {"--run-for=10ms", "--work=1h", "--timeout=1h"}));
    process.waitForEvent("shutdown.begin");
    process.signal(SIGTERM);
    waitUntil(process.waitForEvent("signal").arrivedAt + 50ms);
    CHECK(staysAlive(process, 100ms));
    process.signal(SIGTERM);
    CHECK(process.waitForExit(10s).code == 128 + SIGTERM);
}

TEST_CASE("02: a signal before the time to run is over is the cause") {
    const Process process(stage("02_timeout", {"--run-for", "1h", "--work", "1ms"}));
    process.waitForEvent("ready");
    process.signal(SIGTERM);
    CHECK(process.waitForExit(10s).code == 0);
    CHECK(process.waitForEvent("shutdown.begin").field("cause") == "SIGTERM");
    checkStory(process);
}

TEST_CASE("02: without the option it runs until a signal comes") {
    const Process process(stage("02_timeout", {"--work=0s"}));
    process.waitForEvent("ready");
    CHECK(staysAlive(process, 200ms));
    process.signal(SIGTERM);
    CHECK(process.waitForExit(10s).code == 0);
    checkStory(process);
}

TEST_CASE("02: closed standard streams change nothing") {
    const Process process(stage("02_timeout", {"--work=1h", "--timeout=50ms"}),
                          {.closeStdin = true, .closeStdout = true, .closeStderr = true});
    REQUIRE(eventually([&] { return ignoresSigpipe(process.pid()); }, 10s));
    process.signal(SIGTERM);
    CHECK(process.waitForExit(10s).code == 75);
}

TEST_CASE("02: the options are those of all stages") {
    checkCommonOptions("02_timeout", {"--timeout DURATION", "--work DURATION", "--run-for DURATION",
                                      "--second-term force|ignore", "--help", "--version"});
    for (const char* option : {"--timeout", "--work", "--run-for"}) {
        checkDurationOption("02_timeout", option);
    }
    const Process help(stage("02_timeout", {"--help"}));
    help.waitForExit(10s);
    for (const char* value : {"(default 10s)", "(default 5s)", "(default 0s)"}) {
        CHECK(help.standardOutput().find(value) != std::string::npos);
    }
}

TEST_CASE("02: the stop work is done and the deadline holds when no thread can be started any more") {
    if (slowdown != 1) {
        skip("a sanitizer's own memory is beyond any limit of address space");
        return;
    }
    for (const auto& [work, code] : {std::pair("50ms", 0), std::pair("1h", 75)}) {
        const Process process(stage("02_timeout", {"--work", work, "--timeout", "500ms"}));
        process.waitForEvent("ready");
        rlim_t pages = 0;
        std::ifstream("/proc/" + std::to_string(process.pid()) + "/statm") >> pages;
        const rlimit noStack{pages * static_cast<rlim_t>(::getpagesize()) + 4'000'000, RLIM_INFINITY};
        REQUIRE(::prlimit(process.pid(), RLIMIT_AS, &noStack, nullptr) == 0);
        process.signal(SIGTERM);
        CHECK(process.waitForExit(10s).code == code);
        checkStory(process);
    }
}
