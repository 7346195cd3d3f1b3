#include "catch.h"
#include "temp_dir.h"

#include "lifecycle/pid_file.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

using lifecycle::PidFile;
using lifecycle::test::TempDir;

TEST_CASE("library: a pid file holds the own pid and is removed by its owner alone") {
    const TempDir directory;
    const auto path = directory.path() / "pid";
    const PidFile file(path);
    file.remove(); // nothing is there
    file.write();
    file.write();
    pid_t pid = 0;
    std::ifstream(path) >> pid;
    CHECK(pid == ::getpid());
    std::ofstream(path) << "1\n";
    file.remove();
    CHECK(std::filesystem::exists(path));
    file.write();
    file.remove();
    CHECK(std::filesystem::is_empty(directory.path())); // nor is anything left beside it
    CHECK_THROWS_AS(PidFile("/nowhere/pid").write(), std::system_error);
    PidFile("").write();
}
