#pragma once

#include "lifecycle/file_descriptor.h"

#include <sys/resource.h>
#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace lifecycle::test {

/// What a started program finds around itself.
struct ProcessOptions {
    /// Added to the environment of the test, each "NAME=value".
    std::vector<std::string> environment{};
    /// Soft and hard limit alike, such as {RLIMIT_NOFILE, 64}.
    std::vector<std::pair<int, rlim_t>> limits{};
    /// Working directory; empty: that of the test.
    std::string directory{};
    /// As process 1 does, it gets the children of its descendants that end (PR_SET_CHILD_SUBREAPER).
    bool adoptsOrphans = false;
    /// Start it with this descriptor closed, not merely redirected.
    bool closeStdin = false;
    bool closeStdout = false;
    bool closeStderr = false;
};

/// A started child and the reading ends of its output. Closed ones stay empty.
struct SpawnedChild {
    pid_t pid = -1;
    FileDescriptor standardOutput;
    FileDescriptor standardError;
};

/// Starts `argv` (looked up in PATH) in a process group of its own, stdin from /dev/null.
///
/// Signals are as in a program started from a terminal (see default_signals.h), whatever the test
/// ignores or blocks.
///
/// The child is killed when the calling *thread* ends (PR_SET_PDEATHSIG): call this from the
/// thread that then waits for the child, so that nothing outlives a test program that crashes.
/// Throws std::system_error when the program cannot be started.
SpawnedChild spawn(const std::vector<std::string>& argv, const ProcessOptions& options);

} // namespace lifecycle::test
