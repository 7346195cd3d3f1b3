#pragma once

#include <string>

#include <sys/types.h>

#include "lifecycle/file_descriptor.h"

namespace lifecycle {

/// Opens a file that a user has named, close-on-exec; `flags` and `mode` as for open(2). Never blocks on a
/// FIFO. Throws std::system_error, whose text names the file, if it is a directory, a FIFO, a device or a
/// socket, or cannot be opened.
FileDescriptor openRegularFile(const std::string& path, int flags, mode_t mode = 0644);

}  // namespace lifecycle
