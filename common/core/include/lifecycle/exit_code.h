#pragma once

namespace lifecycle {

// Exit codes of a graceful shutdown. Numbers from sysexits.h where one fits.

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

/// Signal `number` forced the exit: the code that a shell reports for a death by that signal. It is an exit code rather
/// than such a death because PID 1 of a container cannot kill itself by a signal.
constexpr int exitForcedBy(int number) {
    return 128 + number;
}

}  // namespace lifecycle
