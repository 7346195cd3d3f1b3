#include "catch.h"
#include "deadline.h"

using namespace std::chrono_literals;
using lifecycle::test::Clock;
using lifecycle::test::Deadline;
using lifecycle::test::eventually;

TEST_CASE("support: a deadline counts from now and is never negative") {
    const Deadline soon = 10min;
    CHECK_FALSE(soon.passed());
    CHECK(soon.remaining() <= 10min);
    CHECK(soon.remaining() > 9min);

    const Deadline past(Clock::now() - 1s);
    CHECK(past.passed());
    CHECK(past.remaining() == 0s);
    CHECK(past.pollTimeout() == 0);
}

TEST_CASE("support: a poll timeout is rounded up so that no wait ends early") {
    CHECK(Deadline(900us).pollTimeout() == 1);
}

TEST_CASE("support: eventually ends with the condition or with the deadline") {
    int calls = 0;
    CHECK(eventually([&] { return ++calls == 3; }, 10s));
    CHECK(calls == 3);

    const auto beganAt = Clock::now();
    CHECK_FALSE(eventually([] { return false; }, 20ms));
    CHECK(Clock::now() - beganAt >= 20ms);
}
