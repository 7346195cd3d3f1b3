#pragma once

#include <sys/types.h>

#include "lifecycle/file_descriptor.h"

namespace lifecycle {

/// A descriptor that is readable once the process has exited, for PollLoop::watch. Unlike a pid, which may be reused,
/// it can safely be handed to other processes. Close-on-exec. Throws std::system_error if the process does not exist,
/// and on Linux older than 5.3. Source: pidfd_open(2).
FileDescriptor openProcess(pid_t pid);

/// The process of such a descriptor has exited. Does not block.
bool hasExited(const FileDescriptor& process);

}  // namespace lifecycle
