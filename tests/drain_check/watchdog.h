#pragma once

#include "lifecycle/file_descriptor.h"

namespace lifecycle::check {

/// What a run has started goes with it even when the run is killed by SIGKILL and cannot see to it.
///
/// A process of its own waits for the end of a pipe, which is the end of the run however it comes, and
/// kills what is left: every process with the mark of this run in its environment, which children
/// inherit, daemons among them. One that starts others with an empty environment can hide them.
class Watchdog {
public:
    /// Starts it, and puts the mark into the environment. Make it before any thread, and before
    /// adoptOrphans: it must not count as something that the run has started. Throws std::system_error.
    Watchdog();

private:
    FileDescriptor alive_;  // closed by the end of this process
};

}  // namespace lifecycle::check
