#pragma once

#include <string>
#include <vector>

namespace lifecycle {

/// The command that started this program, with the name that the shell used. The name is looked up again when the next
/// generation is started, so that a new file, a changed symbolic link or a new program in PATH is picked up.
/// /proc/self/exe would always be the old file.
struct OwnCommand {
    std::vector<std::string> argv;
    /// The working directory by the name that $PWD has for it: a deployment may make that name a symbolic link to each
    /// new version.
    std::string directory;

    /// Must be called at the start of main. Throws std::system_error if the working directory is gone.
    static OwnCommand of(int argc, const char* const* argv);
};

}  // namespace lifecycle
