#pragma once

namespace lifecycle::test {

/// How many times longer things may take in this build: a sanitizer watches every memory access.
inline constexpr int slowdown =
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    10;
#else
    1;
#endif

} // namespace lifecycle::test
