#pragma once

#include "catch.h"
#include "process.h"

#include <unistd.h>

#include <string>
#include <vector>

namespace lifecycle::test {

/// The beginning of a command that runs as a user who owns nothing. Where the test is not root: as its own user.
inline std::vector<std::string> asAnotherUser() {
    if (::geteuid() != 0) {
        return {"env"};
    }
    return {"setpriv", "--reuid=61234", "--regid=61234", "--clear-groups", "--"};
}

/// One command behind another.
inline std::vector<std::string> operator+(std::vector<std::string> first, const std::vector<std::string>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

/// The same, but all files are open to the program: for forbidThreads, as root has no limit of that kind. LeakSanitizer,
/// which starts a process at the end, is off.
inline std::vector<std::string> asLimitedUser() {
    std::vector<std::string> command = asAnotherUser();
    if (command[0] == "setpriv") {
        command.insert(command.end() - 1, {"--inh-caps=+dac_override", "--ambient-caps=+dac_override"});
    }
    return std::vector<std::string>{"env", "ASAN_OPTIONS=detect_leaks=0"} + command;
}

/// From here on neither this process nor its children can start a thread or a process.
inline void forbidThreads(pid_t pid) {
    const Process limit(asAnotherUser() + std::vector<std::string>{"prlimit", "--nproc=1:1", "--pid=" + std::to_string(pid)});
    REQUIRE(limit.waitForExit(std::chrono::seconds(10)).code == 0);
}

} // namespace lifecycle::test
