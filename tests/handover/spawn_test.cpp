#include "catch.h"
#include "deadline.h"
#include "temp_dir.h"

#include "lifecycle/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

using lifecycle::spawn;
using lifecycle::test::TempDir;

namespace {

/// The mask in a line of /proc/PID/status, such as SigBlk.
std::uint64_t signalMask(pid_t pid, const std::string& name) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind(name + ":", 0) == 0) {
            return std::stoull(line.substr(name.size() + 1), nullptr, 16);
        }
    }
    throw std::runtime_error("no " + name);
}

/// 32 and 33 belong to the C library, which ignores them in a child on purpose.
std::uint64_t withoutThoseOfTheCLibrary(std::uint64_t mask) {
    return mask & ~(std::uint64_t{3} << 31);
}

int exitCode(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::error_code startError(const std::vector<std::string>& argv) {
    try {
        exitCode(spawn(argv));
        return {};
    } catch (const std::system_error& error) {
        return error.code();
    }
}

} // namespace

TEST_CASE("library: a child starts with an empty mask and default signals") {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    for (const int number : {SIGINT, SIGQUIT, SIGPIPE, SIGUSR1, SIGRTMIN + 1}) {
        ::signal(number, SIG_IGN);
    }
    const pid_t child = spawn({"sleep", "60"});
    const auto blocked = signalMask(child, "SigBlk");
    const auto ignored = withoutThoseOfTheCLibrary(signalMask(child, "SigIgn"));
    ::kill(child, SIGTERM);
    const int code = exitCode(child);
    for (const int number : {SIGINT, SIGQUIT, SIGPIPE, SIGUSR1, SIGRTMIN + 1}) {
        ::signal(number, SIG_DFL);
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);

    CHECK(blocked == 0);
    CHECK(ignored == 0);
    CHECK(code == -SIGTERM);
}

TEST_CASE("library: an ignored SIGHUP stays ignored in a child and is not after a default one") {
    for (const bool ignored : {true, false}) {
        ::signal(SIGHUP, ignored ? SIG_IGN : SIG_DFL);
        const pid_t child = spawn({"sleep", "60"});
        const bool ignoredThere = (signalMask(child, "SigIgn") >> (SIGHUP - 1) & 1) != 0;
        ::kill(child, SIGTERM);
        exitCode(child);
        CHECK(ignoredThere == ignored);
    }
}

TEST_CASE("library: a program that cannot be started is an error with its reason") {
    const TempDir directory;
    CHECK(startError({"/nowhere/program"}) == std::errc::no_such_file_or_directory);
    CHECK(startError({"no-program-of-this-name"}) == std::errc::no_such_file_or_directory);
    CHECK(startError({directory.path().string()}) == std::errc::permission_denied);
    const auto text = directory.write("text", "no program\n");
    std::filesystem::permissions(text, std::filesystem::perms::owner_all);
    CHECK(startError({text.string()}) == std::errc::executable_format_error);
    CHECK_THROWS_AS(spawn({}), std::invalid_argument);
}

TEST_CASE("library: a child has our environment and is found by PATH") {
    ::setenv("LIFECYCLE_TEST_CODE", "42", 1);
    CHECK(exitCode(spawn({"sh", "-c", "exit $LIFECYCLE_TEST_CODE"})) == 42);
}

TEST_CASE("library: a child inherits the descriptors without close-on-exec alone") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const std::string test = "[ -e /proc/self/fd/" + std::to_string(ends[0]) + " ]";
    CHECK(exitCode(spawn({"sh", "-c", test})) == 1);
    ::fcntl(ends[0], F_SETFD, 0);
    CHECK(exitCode(spawn({"sh", "-c", test})) == 0);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_CASE("library: a child gets what the options say and nothing else of it") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    ::setenv("LIFECYCLE_TEST_REMOVED", "1", 1);
    const std::string script = "[ \"$PWD\" = / ] && [ $LIFECYCLE_TEST_ADDED = yes ]"
                               " && [ -z \"$LIFECYCLE_TEST_REMOVED\" ] && echo word >&3 && [ -p /proc/self/fd/4 ]";
    const pid_t child = spawn({"sh", "-c", script},
                              {.environment = {"LIFECYCLE_TEST_ADDED=yes", "LIFECYCLE_TEST_REMOVED"},
                               .directory = "/",
                               .descriptors = {ends[1], ends[0]},
                               .blockedSignals = {SIGHUP}});
    CHECK(exitCode(child) == 0);
    ::unsetenv("LIFECYCLE_TEST_REMOVED");
    ::close(ends[1]);
    char text[8] = {};
    CHECK(::read(ends[0], text, sizeof text) == 5);
    ::close(ends[0]);
}

TEST_CASE("library: descriptors for a child may stand at each other's place") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const int reader = ::fcntl(ends[0], F_DUPFD_CLOEXEC, 3);
    // Whatever numbers they have here, the child reads from 3 and finds the writer at 4 and 5.
    const pid_t child = spawn({"sh", "-c", "echo x >&5; read line <&3; [ \"$line\" = x ]"},
                              {.descriptors = {reader, ends[1], ends[1]}});
    CHECK(exitCode(child) == 0);
    ::close(reader);
    ::close(ends[0]);
    ::close(ends[1]);
}
