#include "catch.h"
#include "probe.h"
#include "process.h"

#include "lifecycle/file_descriptor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using lifecycle::FileDescriptor;
using lifecycle::test::probe;
using lifecycle::test::Process;

namespace {

/// The master of a pseudo terminal: closing it hangs up, as closing a terminal's window does.
FileDescriptor openTerminal() {
    FileDescriptor master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    REQUIRE(master);
    REQUIRE(::grantpt(master.get()) == 0);
    REQUIRE(::unlockpt(master.get()) == 0);
    return master;
}

/// The probe on that terminal, as the leader of its session: the terminal that such a process opens
/// first becomes its own.
std::vector<std::string> onTerminal(const FileDescriptor& master, const std::string& how) {
    std::vector<std::string> command{"setsid", "--wait", "sh", "-c",
                                     "exec \"$@\" 0<>" + std::string(::ptsname(master.get())), "sh"};
    for (const std::string& word : probe("shutdown", {how})) {
        command.push_back(word);
    }
    return command;
}

} // namespace

TEST_CASE("library: closing the terminal asks for a shutdown even where a HUP that is sent means a reload") {
    FileDescriptor terminal = openTerminal();
    const Process program(onTerminal(terminal, "reload"));
    const auto pid = static_cast<pid_t>(program.waitForEvent("ready").number("pid"));
    ::kill(pid, SIGHUP);
    program.waitForEvent("signal");
    CHECK(program.events("stopping").empty());

    terminal.reset();
    CHECK(program.waitForEvent("stopping").field("cause") == "SIGHUP");
    CHECK(program.events("signal").back().field("note") == "the terminal was closed");
}

TEST_CASE("library: closing the terminal during a shutdown does not force the exit") {
    FileDescriptor terminal = openTerminal();
    const Process program(onTerminal(terminal, ""));
    const auto pid = static_cast<pid_t>(program.waitForEvent("ready").number("pid"));
    ::kill(pid, SIGHUP); // as the shell does before it exits
    const auto first = program.waitForEvent("stopping").arrivedAt;
    std::this_thread::sleep_until(first + 60ms); // later than a key bounce
    terminal.reset();
    program.waitForEvent("signal", 10s, [](const auto& event) { return event.has("note"); });
    CHECK_FALSE(program.exitStatus());
    ::kill(pid, SIGHUP);
    CHECK(program.waitForExit(10s).code == 128 + SIGHUP);
}
