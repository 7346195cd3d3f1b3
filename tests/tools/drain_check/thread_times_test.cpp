#include "catch.h"
#include "thread_times.h"

#include <unistd.h>

#include <chrono>

using namespace lifecycle::check;
using namespace std::chrono_literals;

TEST_CASE("drain_check: a thread that never sleeps is busy however little of a processor it gets") {
    CHECK(busyPercent({}, {{1, {1s, 0s}}}, 1s) == 100);
    CHECK(busyPercent({}, {{1, {10ms, 990ms}}}, 1s) == 100);
    CHECK(busyPercent({{1, {5s, 5s}}}, {{1, {5010ms, 5990ms}}}, 1s) == 100);
    CHECK(busyPercent({}, {{1, {1s, 0s}}, {2, {20ms, 980ms}}}, 1s) == 200);
}

TEST_CASE("drain_check: a thread that sleeps is not busy however long it waits for a processor") {
    CHECK(busyPercent({}, {{1, {10ms, 0s}}}, 1s) == 1);
    CHECK(busyPercent({}, {{1, {5ms, 500ms}}}, 1s) == 1); // a fixed pause between two looks
    CHECK(busyPercent({{1, {5s, 5s}}}, {{1, {5s, 5s}}}, 1s) == 0);
}

TEST_CASE("drain_check: the times of a thread are its own") {
    const ThreadTimes before = threadTimesOf(::getpid());
    const auto begin = std::chrono::steady_clock::now();
    while (threadTimesOf(::getpid()).at(::getpid()).ran < before.at(::getpid()).ran + 50ms) {
    }
    CHECK(busyPercent(before, threadTimesOf(::getpid()), std::chrono::steady_clock::now() - begin) >= 50);
}
