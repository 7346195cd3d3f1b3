#pragma once

#include "catch.h"
#include "process.h"
#include "stage.h"

#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

namespace lifecycle::test {

/// The beginning of a command that runs as a user who owns nothing; if the test is not root, as the test's own user.
inline std::vector<std::string> asAnotherUser() {
    if (::geteuid() != 0) {
        return {"env"};
    }
    return {"setpriv", "--reuid=61234", "--regid=61234", "--clear-groups", "--"};
}

/// The same for forbidThreads, as root has no such limit: the program may open all files. LeakSanitizer, which starts a
/// process at the exit, is off.
inline std::vector<std::string> asLimitedUser() {
    std::vector<std::string> command = asAnotherUser();
    if (command[0] == "setpriv") {
        command.insert(command.end() - 1, {"--inh-caps=+dac_override", "--ambient-caps=+dac_override"});
    }
    return wrapped({"env", "ASAN_OPTIONS=detect_leaks=0"}, command);
}

/// From now on neither this process nor its children can start a thread or a process.
inline void forbidThreads(pid_t pid) {
    const Process limit(wrapped(asAnotherUser(), {"prlimit", "--nproc=1:1", "--pid=" + std::to_string(pid)}));
    REQUIRE(limit.waitForExit(std::chrono::seconds(10)).code == 0);
}

} // namespace lifecycle::test
