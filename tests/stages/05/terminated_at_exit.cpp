// Preloaded into stage 05, it lets SIGTERM arrive when a process has nothing to do any more but to log its exit: the
// process whose pid is in the file that TERMINATED_AT_EXIT names.

#include <dlfcn.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string_view>

extern "C" ssize_t write(int descriptor, const void* bytes, size_t size) {
    static const auto real = reinterpret_cast<decltype(&write)>(::dlsym(RTLD_NEXT, "write"));
    const char* const file = std::getenv("TERMINATED_AT_EXIT");
    const std::string_view text(static_cast<const char*>(bytes), size);
    if (file != nullptr && text.find(" exit code=") != std::string_view::npos) {
        pid_t pid = 0;
        if (std::ifstream(file) >> pid && pid == ::getpid()) {
            ::unlink(file); // so that a test knows that it has happened
            ::kill(pid, SIGTERM);
        }
    }
    return real(descriptor, bytes, size);
}
