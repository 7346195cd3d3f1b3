#include "lifecycle/process_descriptor.h"

#include <poll.h>
#include <sys/syscall.h>

#include <cerrno>
#include <system_error>

namespace lifecycle {

FileDescriptor openProcess(pid_t pid) {
    FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!process) {
        throw std::system_error(errno, std::generic_category(), "pidfd_open");
    }
    return process;
}

bool hasExited(const FileDescriptor& process) {
    pollfd entry{process.get(), POLLIN, 0};
    return ::poll(&entry, 1, 0) > 0;
}

}  // namespace lifecycle
