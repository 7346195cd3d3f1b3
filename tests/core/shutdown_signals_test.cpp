#include "catch.h"
#include "probe.h"
#include "process.h"
#include "time_limit.h"

#include <signal.h>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using lifecycle::test::Clock;
using lifecycle::test::probe;
using lifecycle::test::Process;
using lifecycle::test::slowdown;

TEST_CASE("library: the first signal ends the context with its name as the cause") {
    const Process program(probe("shutdown"));
    program.waitForEvent("ready");
    program.signal(SIGTERM);
    const auto stopping = program.waitForEvent("stopping");
    CHECK(stopping.field("cause") == "SIGTERM");
    CHECK(stopping.field("err") == "canceled");
    CHECK(program.waitForEvent("signal").number("sender_pid") == ::getpid());
    CHECK_FALSE(program.exitStatus());
}

TEST_CASE("library: each of HUP and INT and QUIT and TERM ends the context with its name as the cause") {
    for (const auto& [number, name] : {std::pair{SIGHUP, "SIGHUP"}, std::pair{SIGINT, "SIGINT"},
                                       std::pair{SIGQUIT, "SIGQUIT"}, std::pair{SIGTERM, "SIGTERM"}}) {
        const Process program(probe("shutdown"));
        program.waitForEvent("ready");
        program.signal(number);
        CHECK(program.waitForEvent("stopping").field("cause") == name);
    }
}

TEST_CASE("library: a HUP that is ignored at the start stays ignored even if it is blocked as well") {
    for (const std::string blocked : {"", "env --block-signal=HUP "}) {
        std::vector<std::string> command{"/bin/sh", "-c", "trap '' HUP; exec " + blocked + "\"$@\"", "sh"};
        for (const std::string& word : probe("shutdown")) {
            command.push_back(word);
        }
        const Process program(command);
        program.waitForEvent("ready");
        program.signal(SIGHUP);
        program.signal(SIGTERM); // taken after HUP, whose number is lower
        CHECK(program.waitForEvent("stopping").field("cause") == "SIGTERM");
        CHECK(program.events("signal").size() == 1);
    }
}

TEST_CASE("library: stray USR1 and USR2 and WINCH do nothing and kill a program without ShutdownSignals") {
    const Process program(probe("shutdown"));
    program.waitForEvent("ready");
    for (const int number : {SIGUSR1, SIGUSR2, SIGWINCH}) {
        program.signal(number);
    }
    program.signal(SIGTERM);
    CHECK(program.waitForEvent("stopping").field("cause") == "SIGTERM");
    CHECK(program.events("signal").size() == 1);

    const Process without(probe("wait", {"TERM"}));
    without.waitForEvent("ready");
    without.signal(SIGUSR1);
    CHECK(without.waitForExit(10s).signal == SIGUSR1);
}

TEST_CASE("library: a handler for SIGUSR1 that the program has installed stays") {
    const Process program(probe("shutdown", {"handler"}));
    program.waitForEvent("ready");
    program.signal(SIGUSR1);
    CHECK(program.waitForExit(10s).code == 7);
}

TEST_CASE("library: a second TERM or HUP can be made harmless and INT and QUIT still force the exit") {
    for (const int force : {SIGINT, SIGQUIT}) {
        const Process program(probe("shutdown", {"patient"}));
        program.waitForEvent("ready");
        program.signal(SIGTERM);
        const auto first = program.waitForEvent("stopping").arrivedAt;
        std::this_thread::sleep_until(first + 60ms); // later than a key bounce
        for (const int again : {SIGTERM, SIGHUP}) {
            program.signal(again);
            const auto isIgnored = [again](const auto& event) {
                return event.number("number") == again && event.has("note");
            };
            CHECK(program.waitForEvent("signal", 10s, isIgnored).field("note").find("ignored") == 0);
        }
        CHECK_FALSE(program.exitStatus());
        program.signal(force);
        CHECK(program.waitForExit(10s).code == 128 + force);
    }
}

TEST_CASE("library: a signal sent while the program starts is not lost") {
    const Process program(probe("shutdown", {"early"}));
    CHECK(program.waitForEvent("stopping").field("cause") == "SIGINT");
}

TEST_CASE("library: a second signal forces the exit within 100 ms") {
    auto best = Clock::duration::max(); // of some, as another process may have the processor
    for (int i = 0; i < 3; ++i) {
        const Process program(probe("shutdown"));
        program.waitForEvent("ready");
        program.signal(SIGINT);
        const auto first = program.waitForEvent("stopping").arrivedAt;
        std::this_thread::sleep_until(first + 60ms); // later than a key bounce
        const auto sent = Clock::now();
        program.signal(SIGTERM);
        const auto status = program.waitForExit(10s);
        CHECK(status.code == 128 + SIGTERM);
        CHECK(program.waitForEvent("exit").number("code") == 128 + SIGTERM);
        best = std::min(best, status.at - sent);
    }
    CHECK(best <= 100ms * (slowdown > 1 ? 20 : 1)); // ThreadSanitizer may sleep a second at the exit
}

TEST_CASE("library: signals within 50 ms are one request") {
    const Process program(probe("shutdown"));
    program.waitForEvent("ready");
    program.signal(SIGINT);
    program.signal(SIGTERM);
    const auto first = program.waitForEvent("stopping").arrivedAt;
    std::this_thread::sleep_until(first + 80ms);
    CHECK_FALSE(program.exitStatus());
    program.signal(SIGINT);
    CHECK(program.waitForExit(10s).code == 128 + SIGINT);
    CHECK(program.events("signal").size() == 2);
}

TEST_CASE("library: a program that nobody signals takes its signal watch down") {
    CHECK(Process(probe("shutdown", {"leave"})).waitForExit(10s).code == 0);
}

TEST_CASE("library: hooks run around signals that end and around others") {
    const Process program(probe("hooks"));
    program.waitForEvent("ready");
    program.signal(SIGUSR1);
    program.waitForEvent("after_usr1");
    program.signal(SIGTERM);
    CHECK(program.waitForExit(10s).code == 0);
    std::string story;
    for (const auto& event : program.events()) {
        story += event.word + " ";
    }
    CHECK(story == "ready signal before_usr1 usr1 after_usr1 signal before_term after_term ");
}
