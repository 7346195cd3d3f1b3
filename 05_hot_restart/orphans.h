#pragma once

#include <sys/types.h>

#include <functional>

#include "lifecycle/file_descriptor.h"
#include "lifecycle/poll_loop.h"

namespace stage {

/// Reaps children that this program did not start. Process 1 inherits the children of every process that exits before
/// them, and a program that replaced a shell (`sleep 9 & exec program`) those of the shell: when they exit, they stay
/// in the process table until they are reaped, and it fills up.
///
/// Used on the loop's thread only. Source: signalfd(2), waitid(2), PR_SET_CHILD_SUBREAPER(2const).
class Orphans {
public:
    /// `isOurs`: this program started that child, and reaps it itself. Blocks SIGCHLD; all existing threads must have
    /// blocked it already. Throws std::system_error without a descriptor.
    Orphans(lifecycle::PollLoop& loop, std::function<bool(pid_t)> isOurs);
    ~Orphans();

    Orphans(const Orphans&) = delete;
    Orphans& operator=(const Orphans&) = delete;

    /// Called automatically when a child exits. Must be called when one of ours has been reaped, since it may have
    /// hidden others that exited after it. Never blocks.
    void reap();

private:
    lifecycle::PollLoop& loop_;
    const std::function<bool(pid_t)> isOurs_;
    const lifecycle::FileDescriptor childSignal_;  // signalfd
};

}  // namespace stage
