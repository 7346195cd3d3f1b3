#include "catch.h"
#include "restart_server.h"
#include "stage.h"

#include <cstdlib>
#include <filesystem>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

namespace fs = std::filesystem;

/// Where it looks from: the program shows which file it is by its message.
std::string program() {
    return stage("05_hot_restart").front();
}

/// What the process runs.
fs::path fileOf(pid_t pid) {
    return fs::read_symlink("/proc/" + std::to_string(pid) + "/exe");
}

fs::path directoryOf(pid_t pid) {
    return fs::read_symlink("/proc/" + std::to_string(pid) + "/cwd");
}

/// Another file with the same program.
void copyProgram(const fs::path& to) {
    fs::create_directories(to.parent_path());
    fs::copy_file(program(), to, fs::copy_options::overwrite_existing);
}

} // namespace

TEST_CASE("05: a program that was renamed over is the new file after a restart") {
    const TempDir directory;
    const fs::path name = directory.path() / "server";
    copyProgram(name);
    RestartServer server({name}, {"--rollback-window=0s"}, {});
    copyProgram(directory.path() / "next");
    fs::rename(directory.path() / "next", name);
    CHECK(fileOf(server.pid()) == name.string() + " (deleted)");
    const auto second = static_cast<pid_t>(server.restart(2).number("pid"));
    CHECK(fileOf(second) == name);
    CHECK(server.end() == 0);
}

TEST_CASE("05: a symbolic link that was switched leads to the new file and the new directory") {
    const TempDir directory;
    copyProgram(directory.path() / "release-1" / "server");
    copyProgram(directory.path() / "release-2" / "server");
    const fs::path current = directory.path() / "current";
    fs::create_directory_symlink("release-1", current);
    RestartServer server({"/bin/sh", "-c", "cd \"$0\" && exec ./server \"$@\"", current}, {"--rollback-window=0s"}, {});
    CHECK(fileOf(server.pid()) == directory.path() / "release-1" / "server");

    fs::create_directory_symlink("release-2", directory.path() / "next");
    fs::rename(directory.path() / "next", current);
    for (int generation = 2; generation <= 3; ++generation) {
        const auto pid = static_cast<pid_t>(server.restart(generation).number("pid"));
        CHECK(fileOf(pid) == directory.path() / "release-2" / "server");
        CHECK(directoryOf(pid) == directory.path() / "release-2");
    }
    CHECK(server.end() == 0);
}

TEST_CASE("05: a program that was found in PATH is looked up there again") {
    const TempDir directory;
    copyProgram(directory.path() / "b" / "a_server_of_this_test");
    fs::create_directories(directory.path() / "a");
    const std::string path = (directory.path() / "a").string() + ":" + (directory.path() / "b").string();
    RestartServer server({"/bin/sh", "-c", "PATH=$0:$PATH exec a_server_of_this_test \"$@\"", path},
                         {"--rollback-window=0s"}, {});
    CHECK(fileOf(server.pid()) == directory.path() / "b" / "a_server_of_this_test");
    copyProgram(directory.path() / "a" / "a_server_of_this_test");
    const auto second = static_cast<pid_t>(server.restart(2).number("pid"));
    CHECK(fileOf(second) == directory.path() / "a" / "a_server_of_this_test");
    CHECK(server.end() == 0);
}

TEST_CASE("05: a working directory that was removed is named as the reason and its program serves on") {
    const TempDir directory;
    const fs::path home = directory.path() / "home";
    fs::create_directory(home);
    RestartServer server({"/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", home, program()}, {}, {});
    fs::remove(home);
    server.signal(SIGHUP);
    CHECK(server.waitForEvents("restart.failed", 1).field("reason") ==
          "cannot start " + program() + " in its working directory " + home.string() + ": No such file or directory");
    fs::create_directory(home);
    server.restart(2);
    CHECK(server.end() == 0);
}
