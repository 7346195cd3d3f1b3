#include "catch.h"
#include "process.h"
#include "process_table.h"
#include "temp_dir.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

using namespace lifecycle::test;
using namespace std::chrono_literals;

namespace {

/// A daemon in a session of its own whose parent has ended, with a child.
const std::string daemonBeside = "(setsid sh -c 'sleep 1000; :' &); ";

/// A command that is hard to get rid of: a shell that ignores signals, a server behind it, and a daemon.
const std::vector<std::string> stubborn{
    "sh", "-c", "trap '' INT TERM HUP; " + daemonBeside + CARELESS_SERVER " stays {port} & wait; wait"};

/// The tool, in the middle of its only scenario, and all processes that it has started: they have
/// something in their environment that nobody else has.
class Run {
public:
    explicit Run(const std::vector<std::string>& command, const std::string& exitLimit = "1m")
        : tool_(commandLine(command, exitLimit), {.environment = {mark_}}) {}

    const Process* operator->() const { return &tool_; }

    bool hasStarted(std::size_t count) const {
        return eventually([&] { return started() >= count; }, 20s);
    }

    bool hasLeftNothing() const {
        return eventually([&] { return started() == 0; }, 20s);
    }

    /// Neither the tool itself nor its watchdog.
    bool isOver() const {
        return eventually([&] { return count(true) == 0; }, 20s);
    }

    std::size_t started() const { return count(false); }

private:
    static std::vector<std::string> commandLine(const std::vector<std::string>& command,
                                                const std::string& exitLimit) {
        std::vector<std::string> argv{DRAIN_CHECK, "--only=idle-exit", "--exit-limit", exitLimit, "--"};
        argv.insert(argv.end(), command.begin(), command.end());
        return argv;
    }

    std::size_t count(bool tools) const {
        std::size_t found = 0;
        for (const ProcessEntry& process : processTable()) {
            const bool isTool = commandLineOf(process.pid).rfind(DRAIN_CHECK, 0) == 0;
            found += process.state != 'Z' && isTool == tools && hasInEnvironment(process.pid, mark_) ? 1 : 0;
        }
        return found;
    }

    const TempDir folder_; // for its name
    const std::string mark_ = "STARTED_BY=" + folder_.path().filename().string();
    const Process tool_;
};

constexpr std::size_t all = 4; // shell, server, daemon, its child

} // namespace

TEST_CASE("drain_check: an interrupted run leaves no process behind") {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
        CAPTURE(number);
        const Run run(stubborn);
        REQUIRE(run.hasStarted(all));
        run->signal(number);
        CHECK(run->waitForExit(20s).code == 128 + number);
        CHECK(run.hasLeftNothing());
        CHECK(run.isOver());
    }
}

TEST_CASE("drain_check: a run to the end leaves no process behind") {
    const Run run({"sh", "-c", daemonBeside + "exec " CARELESS_SERVER " stays {port}"}, "200ms");
    CHECK(run->waitForExit(30s).code == 1);
    CHECK(run.started() == 0);
    CHECK(run.isOver());
}

TEST_CASE("drain_check: a daemon that has cleared its environment does not outlive a run that is killed") {
    const std::string name = "1000." + std::to_string(::getpid());
    const auto daemonLives = [&] {
        const auto all = processTable();
        return std::any_of(all.begin(), all.end(), [&](const ProcessEntry& process) {
            return commandLineOf(process.pid) == std::string("sleep") + '\0' + name + '\0' && process.state != 'Z';
        });
    };
    const Run run({"sh", "-c", "(setsid env -i sleep " + name + " &); exec " CARELESS_SERVER " stays {port}"});
    REQUIRE(run.hasStarted(1));
    REQUIRE(eventually(daemonLives, 20s));
    run->signal(SIGKILL);
    CHECK(run->waitForExit(20s).signal == SIGKILL);
    CHECK(eventually([&] { return !daemonLives(); }, 20s));
}

TEST_CASE("drain_check: a run that is killed in the middle of a scenario leaves no process behind") {
    const Run run(stubborn);
    REQUIRE(run.hasStarted(all));
    run->signal(SIGKILL);
    CHECK(run->waitForExit(20s).signal == SIGKILL);
    CHECK(run.hasLeftNothing());
    CHECK(run.isOver());
}
