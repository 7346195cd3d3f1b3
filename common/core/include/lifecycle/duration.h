#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace lifecycle {

/// A span of time. Integer nanoseconds, as in Go: about 292 years fit.
using Duration = std::chrono::nanoseconds;

/// The clock of every deadline: it never jumps when the wall clock is set.
using Clock = std::chrono::steady_clock;

/// A moment on that clock.
using TimePoint = std::chrono::time_point<Clock, Duration>;

/// begin + span, or the end of time where that would overflow: an absurdly long timeout must not become a
/// negative one. `begin` and `one` must not be negative.
constexpr TimePoint addSaturated(TimePoint begin, Duration span) {
    return span < TimePoint::max() - begin ? begin + span : TimePoint::max();
}

constexpr Duration addSaturated(Duration one, Duration other) {
    return other < Duration::max() - one ? one + other : Duration::max();
}

/// factor * duration, or the longest duration where that would overflow. Not for negative durations.
constexpr Duration multiplySaturated(unsigned factor, Duration duration) {
    return factor == 0 || duration <= Duration::max() / factor ? factor * duration : Duration::max();
}

/// Reads a duration written as in Go: decimal numbers, each with a unit, one after the other
/// (`300ms`, `1.5s`, `2m30s`). Units: `ns`, `us` (or `µs`), `ms`, `s`, `m`, `h`.
///
/// Stricter than Go in two points, because a typing error in a timeout is expensive: a bare `0`
/// needs a unit too, and negative durations are rejected.
///
/// Throws std::invalid_argument with a sentence for the user.
/// Source: https://pkg.go.dev/time#ParseDuration
Duration parseDuration(std::string_view text);

/// Writes a duration as Go does: `1.5s`, `2m30s`, `1h0m0s`, `0s`. parseDuration reads it back
/// unless it is negative. Source: https://pkg.go.dev/time#Duration.String
std::string formatDuration(Duration duration);

/// The same, rounded to what a person reads: milliseconds from one second up, tenths of a
/// millisecond from one millisecond up, microseconds below.
std::string formatRounded(Duration duration);

}  // namespace lifecycle
