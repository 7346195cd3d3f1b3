#include "catch.h"
#include "line_pattern.h"
#include "normalise.h"

using lifecycle::readme::fits;
using lifecycle::readme::standsForAnyLines;

TEST_CASE("readme: a wildcard stands for any text inside a line") {
    CHECK(fits("hello", "hello"));
    CHECK_FALSE(fits("hello", "hello!"));
    CHECK(fits("[..]", ""));
    CHECK(fits("a[..]", "a b c"));
    CHECK(fits("[..]c", "a b c"));
    CHECK(fits("a[..]c", "ac"));
    CHECK(fits("a[..]b[..]c", "a b b c"));
    CHECK_FALSE(fits("a[..]b[..]c", "a c"));
    CHECK_FALSE(fits("aa[..]aa", "aaa"));
    CHECK_FALSE(fits("[..]c", "a b c d"));
    CHECK(fits("x [[..]] y", "x [21/Nov/2025] y"));
}

TEST_CASE("readme: only a line of its own stands for any lines") {
    CHECK(standsForAnyLines("[...]"));
    CHECK_FALSE(standsForAnyLines("x [...]"));
    CHECK_FALSE(standsForAnyLines("[..]"));
}

TEST_CASE("readme: what is different in every run is not compared") {
    const auto same = [](const char* shown, const char* printed) {
        INFO(shown << "\n" << printed);
        CHECK(fits(shown, printed));
    };
    same("+0.001s ready port=8080 pid=1", "+12.345s ready port=8080 pid=4711");
    same("+0s signal sender_pid=0 sender_uid=0", "+0s signal sender_pid=812 sender_uid=1000");
    same("+0.002s shutdown.end took=1.2ms", "+0.003s shutdown.end took=1m0.5s");
    same("drain.waiting remaining=9.0s age=1s", "drain.waiting remaining=8.998s age=1.002s");
    same("peer=127.0.0.1:51234 x", "peer=127.0.0.1:40002 x");
    same("ready port=43210", "ready port=54321");
    same("Date: Fri, 21 Nov 2025 02:24:05 GMT", "Date: Sat, 22 Nov 2025 12:00:00 GMT");
    same("2025-11-21T02:24:05.123Z x", "2026-01-02T03:04:05.678Z x");
    same("[1] 4711", "[1] 12");
    same("real\t0m0.305s", "real  0m1.250s");
    same("curl: (7) Failed after 0 ms: no", "curl: (7) Failed after 12 ms: no");
    same("end ", "end");
}

TEST_CASE("readme: what a learner is meant to read is compared") {
    const auto differ = [](const char* shown, const char* printed) {
        INFO(shown << "\n" << printed);
        CHECK_FALSE(fits(shown, printed));
    };
    differ("ready port=8080", "ready port=8081");
    differ("ready port=8080", "ready port=43210");
    differ("exit code=0", "exit code=75");
    differ("drain.begin in_flight=1", "drain.begin in_flight=2");
    differ("shutdown.begin deadline=10s", "shutdown.begin deadline=5s");
    differ("+0.001s ready", "ready");
    differ("[1] 4711", "[2] 4711");
    differ("signal number=15", "signal number=2");
}

TEST_CASE("readme: wildcards and what is normalised go together") {
    CHECK(fits("+[..]s ready pid=[..]", "+0.001s ready pid=4711"));
    CHECK(fits("+0.001s ready [..]", "+0.002s ready pid=4711"));
    CHECK(fits("+0.001s request.begin took=[..] peer=[..]",
               "+0.002s request.begin took=3ms peer=127.0.0.1:43210"));
}
