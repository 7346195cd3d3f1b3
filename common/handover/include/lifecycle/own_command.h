#pragma once

#include <string>
#include <vector>

namespace lifecycle {

/// How this program was started, as the shell saw it: the name, not the file that was behind it. When
/// the next generation is started, the name is looked up anew, so that it is the file, the target of
/// the symbolic link, or the program in PATH as it is then. /proc/self/exe would be the old file, for
/// ever.
struct OwnCommand {
    std::vector<std::string> argv;
    /// The working directory by the name it was entered by, which $PWD tells: for a name that a
    /// deployment makes a link to each new version.
    std::string directory;

    /// To be called at the start of main. Throws std::system_error if the working directory is gone.
    static OwnCommand of(int argc, const char* const* argv);
};

}  // namespace lifecycle
