#pragma once

#include "process.h"

#include <algorithm>
#include <cstddef>
#include <ratio>
#include <thread>
#include <vector>

namespace lifecycle::test {

/// Waits for a moment that a claim speaks of ("50 ms after the signal"). Never used to hope that
/// something has happened by then.
inline void waitUntil(Clock::time_point moment) {
    std::this_thread::sleep_until(moment);
}

/// Watches a process for that long; false if it has ended before.
inline bool staysAlive(const Process& process, Clock::duration duration) {
    waitUntil(Clock::now() + duration);
    return !process.exitStatus();
}

inline Clock::duration median(std::vector<Clock::duration> durations) {
    const auto middle = durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2);
    std::nth_element(durations.begin(), middle, durations.end());
    return *middle;
}

inline double milliseconds(Clock::duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

} // namespace lifecycle::test
