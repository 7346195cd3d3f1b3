#pragma once

#include <sys/types.h>

#include <functional>

#include "lifecycle/file_descriptor.h"
#include "lifecycle/poll_loop.h"

namespace stage {

/// Reaps children that nobody here has started. Process 1 gets the children of every process that
/// ends before them, and a program that a shell has become (`sleep 9 & exec program`) those of the
/// shell: when they end, they stay in the process table until they are reaped, and it fills up.
///
/// Used on the loop's thread alone. Source: signalfd(2), waitid(2), PR_SET_CHILD_SUBREAPER(2const).
class Orphans {
public:
    /// `isOurs` says whether somebody here has started this child, and reaps it. Blocks SIGCHLD: all
    /// threads there are already must do so, too. Throws std::system_error without a descriptor.
    Orphans(lifecycle::PollLoop& loop, std::function<bool(pid_t)> isOurs);
    ~Orphans();

    Orphans(const Orphans&) = delete;
    Orphans& operator=(const Orphans&) = delete;

    /// By itself whenever a child ends; to be called when one of ours has been reaped, which hides those
    /// that ended after it. Never blocks.
    void reap();

private:
    lifecycle::PollLoop& loop_;
    const std::function<bool(pid_t)> isOurs_;
    const lifecycle::FileDescriptor ends_;  // signalfd
};

}  // namespace stage
