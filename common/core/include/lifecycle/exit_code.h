#pragma once

namespace lifecycle {

// What a process that ends well tells its parent. Numbers from sysexits.h where one fits.

/// Everything accepted was finished.
inline constexpr int exitClean = 0;

/// Unknown option or bad value (EX_USAGE).
inline constexpr int exitUsage = 64;

/// Could not start: port taken, dependency unreachable (EX_UNAVAILABLE).
inline constexpr int exitUnavailable = 69;

/// A shutdown hook failed or timed out; no client work was lost (EX_SOFTWARE).
inline constexpr int exitHookFailed = 70;

/// The deadline passed and client work was cut (EX_TEMPFAIL).
inline constexpr int exitWorkCut = 75;

/// A process forced to end by signal `number` exits with this, as a shell would report it. It is an
/// exit code and no death by signal, because PID 1 of a container cannot die by its own signal.
constexpr int exitForcedBy(int number) {
    return 128 + number;
}

}  // namespace lifecycle
