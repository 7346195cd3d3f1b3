#pragma once

#include <string>
#include <vector>

namespace lifecycle::test {

/// The command line of a built stage: `stage("02_timeout", {"--work", "1s"})`.
inline std::vector<std::string> stage(const std::string& name,
                                      const std::vector<std::string>& options = {}) {
    std::vector<std::string> command{STAGE_BIN_DIR "/" + name};
    command.insert(command.end(), options.begin(), options.end());
    return command;
}

/// `command`, started by `wrapper`, which ends in an exec of its arguments.
inline std::vector<std::string> wrapped(std::vector<std::string> wrapper, const std::vector<std::string>& command) {
    wrapper.insert(wrapper.end(), command.begin(), command.end());
    return wrapper;
}

/// The same command, started by a shell that first does `preparation`.
inline std::vector<std::string> afterShell(const std::string& preparation,
                                           const std::vector<std::string>& command) {
    return wrapped({"/bin/sh", "-c", preparation + "; exec \"$0\" \"$@\""}, command);
}

} // namespace lifecycle::test
