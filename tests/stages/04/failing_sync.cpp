// Preloaded into a program, it lets the disk fail: while the file that FAILING_SYNC names exists, what was written
// may be there or not, and fsync and fdatasync say EIO.

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace {

int sync(long call, int descriptor) {
    const char* file = std::getenv("FAILING_SYNC");
    if (file != nullptr && ::access(file, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    return static_cast<int>(::syscall(call, descriptor));
}

} // namespace

extern "C" int fsync(int descriptor) {
    return sync(SYS_fsync, descriptor);
}

extern "C" int fdatasync(int descriptor) {
    return sync(SYS_fdatasync, descriptor);
}
