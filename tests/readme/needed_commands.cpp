#include "needed_commands.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace lifecycle::readme {

namespace {

bool isInPath(const std::string& command) {
    const char* path = std::getenv("PATH");
    std::istringstream directories(path == nullptr ? "/usr/bin:/bin" : path);
    for (std::string directory; std::getline(directories, directory, ':');) {
        if (::access((directory + "/" + command).c_str(), X_OK) == 0) {
            return true;
        }
    }
    return false;
}

} // namespace

std::optional<std::string> firstMissingCommand(const std::vector<std::string>& commands) {
    const auto missing = std::find_if_not(commands.begin(), commands.end(), isInPath);
    return missing == commands.end() ? std::nullopt : std::optional(*missing);
}

} // namespace lifecycle::readme
