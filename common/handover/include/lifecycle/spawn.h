#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace lifecycle {

/// How a child differs from this process.
struct SpawnOptions {
    /// NAME=value sets a variable, NAME alone removes one; all others are inherited.
    std::vector<std::string> environment{};
    /// Its working directory; empty: inherited. A program named with a slash is looked up from there.
    std::string directory{};
    /// Descriptors that it gets as 3, 4 and so on, regardless of their numbers and flags in this process.
    std::vector<int> descriptors{};
    /// Signals that stay pending until it handles them, so that they do not kill it before it can.
    std::vector<int> blockedSignals{};
};

/// Starts another program: argv[0] is looked up in PATH when it has no slash. Blocked and ignored
/// signals survive an exec, and a server that blocks SIGTERM would start children that SIGTERM cannot
/// stop; so the child gets the mask in `options`, empty by default, and the default action for every
/// signal, except that a SIGHUP that is ignored here stays ignored there: nohup is meant for both. Other
/// descriptors without FD_CLOEXEC are inherited.
///
/// Returns the child's pid; waiting for it is up to the caller. Safe in a threaded process; the
/// cost does not grow with its memory. Throws std::system_error when the program cannot
/// be started (ENOENT, EACCES, ENOEXEC); its text names the directory if that is the reason. Source:
/// posix_spawn(3).
pid_t spawn(const std::vector<std::string>& argv, const SpawnOptions& options = {});

}  // namespace lifecycle
