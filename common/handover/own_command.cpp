#include "lifecycle/own_command.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace lifecycle {
namespace {

bool isSameDirectory(const char* a, const char* b) {
    struct stat first;
    struct stat second;
    return ::stat(a, &first) == 0 && ::stat(b, &second) == 0 && first.st_ino == second.st_ino &&
           first.st_dev == second.st_dev;
}

}  // namespace

OwnCommand OwnCommand::of(int argc, const char* const* argv) {
    const char* shellsName = std::getenv("PWD");
    const bool usable = shellsName != nullptr && *shellsName == '/' && isSameDirectory(shellsName, ".");
    return {{argv, argv + argc}, usable ? shellsName : std::filesystem::current_path().string()};
}

}  // namespace lifecycle
