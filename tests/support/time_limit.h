#pragma once

#include <chrono>

namespace lifecycle::test {

/// How many times longer things may take in this build: a sanitizer watches every memory access,
/// and looks for leaks before the process ends.
constexpr int slowdown =
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    10;
#else
    1;
#endif

/// A promised time, for this build. To the millisecond only in the programs whose tests run alone
/// (CMakeLists.txt); elsewhere it tells "soon" from "at the deadline" or "never".
template <class Rep, class Period>
constexpr auto limit(std::chrono::duration<Rep, Period> promised) {
    return promised * slowdown;
}

/// How often to do what is repeated because a loss is rare: that is for the build that people use. Where a sanitizer
/// watches, a fifth is enough.
constexpr int rounds(int count) {
    return slowdown == 1 ? count : count / 5;
}

} // namespace lifecycle::test
