#pragma once

#include "process.h"

#include <string>
#include <system_error>
#include <vector>

namespace lifecycle::test {

/// As in a container: the program is process 1 of its own PID namespace. /proc still shows the pids
/// outside, where LeakSanitizer would look for its own threads in vain.
inline std::vector<std::string> asPidOne(std::vector<std::string> command) {
    command.insert(command.begin(), {"unshare", "--user", "--map-root-user", "--pid", "--fork",
                                     "--kill-child", "env", "LSAN_OPTIONS=detect_leaks=0"});
    return command;
}

inline bool namespacesAreAllowed() {
    try {
        return Process(asPidOne({"true"})).waitForExit(std::chrono::seconds(10)).code == 0;
    } catch (const std::system_error&) {
        return false; // no such program
    }
}

} // namespace lifecycle::test
