#pragma once

#include <algorithm>
#include <chrono>
#include <functional>

namespace lifecycle::test {

/// The one clock of the tests: monotonic, so that a corrected wall clock changes no result.
using Clock = std::chrono::steady_clock;

/// A moment after which waiting ends. Converts from a duration ("2s from now") and from a
/// point in time, so that one deadline can be passed on through several waits:
///
///     connection.readResponse(2s);
///     Deadline both = 5s;
///     first.waitForExit(both);
///     second.waitForExit(both);
class Deadline {
public:
    // Both conversions are meant to be implicit: that is what the class is for.
    template <class Rep, class Period>
    Deadline(std::chrono::duration<Rep, Period> fromNow)
        : at_(Clock::now() + std::chrono::duration_cast<Clock::duration>(fromNow)) {}
    Deadline(Clock::time_point at) : at_(at) {}

    Clock::time_point at() const { return at_; }
    bool passed() const { return Clock::now() >= at_; }
    /// Zero once the deadline has passed, never negative.
    Clock::duration remaining() const {
        return std::max(at_ - Clock::now(), Clock::duration::zero());
    }
    /// What is left for poll(2): milliseconds, rounded up so that a wait never ends early.
    int pollTimeout() const;

private:
    Clock::time_point at_;
};

/// Asks `predicate` until it says yes. For conditions that nothing announces; prefer to wait for
/// an event where there is one. Returns the last answer.
bool eventually(const std::function<bool()>& predicate, Deadline deadline);

} // namespace lifecycle::test
