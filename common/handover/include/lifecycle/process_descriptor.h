#pragma once

#include <sys/types.h>

#include "lifecycle/file_descriptor.h"

namespace lifecycle {

/// A descriptor that has input as soon as the process has ended, for PollLoop::watch, and that can be
/// handed to other processes, as a pid cannot: numbers are given out again. Close-on-exec. Throws
/// std::system_error: no such process, or Linux older than 5.3. Source: pidfd_open(2).
FileDescriptor openProcess(pid_t pid);

/// The process behind such a descriptor has ended. Does not block.
bool hasEnded(const FileDescriptor& process);

}  // namespace lifecycle
