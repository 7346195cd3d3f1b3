#include "catch.h"
#include "process.h"
#include "time_limit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
using lifecycle::test::Clock;
using lifecycle::test::Event;
using lifecycle::test::Process;
using lifecycle::test::ProcessOptions;

namespace {

std::vector<std::string> shell(const std::string& script) {
    return {"/bin/sh", "-c", script};
}

} // namespace

TEST_CASE("support: a process is known by its exit code or by the signal that ended it") {
    CHECK(Process(shell("exit 75")).waitForExit(10s).code == 75);

    const Process killed(shell("kill -TERM $$"));
    const auto status = killed.waitForExit(10s);
    CHECK(status.code == -1);
    CHECK(status.signal == SIGTERM);
    std::ostringstream text;
    text << status;
    CHECK(text.str() == "killed by signal 15 (Terminated)");
}

TEST_CASE("support: output is captured whole and stderr by line with its time") {
    const auto before = Clock::now();
    const Process process(shell("echo out; echo one >&2; echo >&2; printf end >&2"));
    const auto status = process.waitForExit(10s);
    CHECK(process.standardOutput() == "out\n");

    const auto lines = process.standardError();
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].text == "one");
    CHECK(lines[1].text.empty());
    CHECK(lines[2].text == "end");
    CHECK(lines[0].arrivedAt >= before);
    CHECK(lines[0].arrivedAt <= lines[2].arrivedAt);
    CHECK(status.at >= before);
}

TEST_CASE("support: a process never blocks on its output") {
    const Process process(shell("i=0; while [ $i -lt 3000 ]; do i=$((i+1)); "
                                "echo 'a line: many of them fill the pipe many times over' >&2; "
                                "done; head -c 1000000 /dev/zero"));
    CHECK(process.waitForExit(30s).code == 0);
    CHECK(process.standardError().size() == 3000);
    CHECK(process.standardOutput().size() == 1000000);
}

TEST_CASE("support: waiting for an event returns the first that fits") {
    const Process process(shell("echo noise >&2; echo '+0.001s ready port=8080 pid=7' >&2;"
                                "echo '+0.002s drain.waiting in_flight=2' >&2;"
                                "echo '+0.003s drain.waiting in_flight=1' >&2; sleep 60"));
    CHECK(process.waitForEvent("ready").number("port") == 8080);
    const auto last = process.waitForEvent(
        "drain.waiting", 10s, [](const Event& event) { return event.field("in_flight") == "1"; });
    CHECK(last.sinceStart == 3ms);
    CHECK(process.events().size() == 3);
    CHECK(process.events("drain.waiting").size() == 2);
    CHECK_FALSE(process.exitStatus());
}

TEST_CASE("support: waiting for an event ends at once when the process has ended") {
    const Process process(shell("echo '+0.001s exit code=69' >&2; exit 69"));
    const auto beganAt = Clock::now();
    CHECK_THROWS_AS(process.waitForEvent("ready", 60s), std::runtime_error);
    CHECK(Clock::now() - beganAt < 30s);
}

TEST_CASE("support: waiting for an event or the exit ends with the deadline") {
    const Process process(shell("exec sleep 60"));
    CHECK_THROWS_AS(process.waitForEvent("ready", 10ms), std::runtime_error);
    CHECK_THROWS_AS(process.waitForExit(10ms), std::runtime_error);
}

TEST_CASE("support: a process starts with default signals whatever the test ignores") {
    ::signal(SIGINT, SIG_IGN);
    sigset_t term;
    ::sigemptyset(&term);
    ::sigaddset(&term, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &term, nullptr);

    const Process interrupted({"sleep", "60"});
    interrupted.signal(SIGINT);
    CHECK(interrupted.waitForExit(10s).signal == SIGINT);

    const Process terminated({"sleep", "60"});
    terminated.signal(SIGTERM);
    CHECK(terminated.waitForExit(10s).signal == SIGTERM);

    ::pthread_sigmask(SIG_UNBLOCK, &term, nullptr);
    ::signal(SIGINT, SIG_DFL);
}

TEST_CASE("support: the environment and limits and directory are the ones asked for") {
    ::setenv("LIFECYCLE_TEST_KEPT", "kept", 1);
    ::setenv("LIFECYCLE_TEST_REPLACED", "old", 1);
    const ProcessOptions options{
        .environment = {"LIFECYCLE_TEST_REPLACED=new", "LIFECYCLE_TEST_ADDED=added"},
        .limits = {{RLIMIT_NOFILE, 64}},
        .directory = "/",
    };
    const Process process(shell("echo $LIFECYCLE_TEST_KEPT $LIFECYCLE_TEST_REPLACED "
                                "$LIFECYCLE_TEST_ADDED; ulimit -n; ulimit -Hn; pwd"),
                          options);
    process.waitForExit(10s);
    CHECK(process.standardOutput() == "kept new added\n64\n64\n/\n");
}

TEST_CASE("support: a process can start with closed standard descriptors") {
    const auto openDescriptors = "for fd in 0 1 2; do [ -e /proc/$$/fd/$fd ] && list=$list$fd; "
                                  "done; exit 1$list";
    CHECK(Process(shell(openDescriptors), {.closeStdin = true}).waitForExit(10s).code == 112);
    CHECK(Process(shell(openDescriptors), {.closeStdout = true}).waitForExit(10s).code == 102);
    CHECK(Process(shell(openDescriptors), {.closeStderr = true}).waitForExit(10s).code == 101);
}

TEST_CASE("support: a program that cannot be started is an error with its reason") {
    try {
        Process process({"/nowhere/program"});
        FAIL("started");
    } catch (const std::system_error& error) {
        CHECK(error.code() == std::errc::no_such_file_or_directory);
    }
}

TEST_CASE("support: nothing of a process is left at the end of the scope") {
    pid_t parent = 0;
    pid_t child = 0;
    {
        const Process process(shell("sleep 60 & echo \"+0.000s ready child=$!\" >&2; wait"));
        parent = process.pid();
        child = static_cast<pid_t>(process.waitForEvent("ready").number("child"));
    }
    CHECK(::kill(parent, 0) == -1);
    CHECK(errno == ESRCH);
    // The orphan is reaped by init, or whoever stands in for it, in its own time.
    CHECK(lifecycle::test::eventually(
        [&] {
            std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
            std::string text(std::istreambuf_iterator<char>(stat), {});
            return text.empty() || text.find(") Z ") != std::string::npos;
        },
        10s));
}

TEST_CASE("support: the output of what a process leaves behind is captured as well") {
    const Process process(
        shell("(while kill -0 $$; do :; done; echo '+0.000s late' >&2) & exit 0"));
    process.waitForExit(10s);
    CHECK(process.waitForEvent("late").word == "late");
}

TEST_CASE("support: the time of exit is that of the death to well below a millisecond") {
    // Judged by the quicker quarter of the rounds, and against a bare waitpid: on a busy machine both are late.
    std::vector<Clock::duration> bare;
    std::vector<Clock::duration> ours;
    for (int round = 0; round < 40; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::execlp("sleep", "sleep", "60", nullptr);
            ::_exit(1);
        }
        const std::string program = "/proc/" + std::to_string(child) + "/exe";
        REQUIRE(lifecycle::test::eventually(
            [&] { return std::filesystem::read_symlink(program).filename() == "sleep"; }, 10s));
        const auto beganAt = Clock::now();
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        bare.push_back(Clock::now() - beganAt);

        const Process process({"sleep", "60"});
        const auto killedAt = Clock::now();
        process.signal(SIGKILL);
        const auto status = process.waitForExit(10s);
        CHECK(status.at >= killedAt);
        ours.push_back(status.at - killedAt);
    }
    std::sort(bare.begin(), bare.end());
    std::sort(ours.begin(), ours.end());
    CHECK(ours[10] <= bare[10] + lifecycle::test::limit(500us));
}

TEST_CASE("support: the log names the command and its end and its lines") {
    const Process process(shell("echo text; echo '+0.001s ready' >&2; exit 3"));
    process.waitForExit(10s);
    const std::string log = process.log();
    CHECK(log.find("/bin/sh -c") != std::string::npos);
    CHECK(log.find("exit code 3") != std::string::npos);
    CHECK(log.find("+0.001s ready\n") != std::string::npos);
    CHECK(log.find("text\n") != std::string::npos);
}
