#include "watchdog.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <system_error>
#include <thread>

#include "deadline.h"
#include "process_table.h"

namespace lifecycle::check {
namespace {

using namespace std::chrono_literals;

constexpr const char* variable = "DRAIN_CHECK_RUN";

/// Kills them until none has come up for some time: between its fork and its exec one can be overlooked.
void killAllWith(const std::string& mark) {
    const test::Deadline giveUp = 10s;
    for (int quietLooks = 0; quietLooks < 3 && !giveUp.passed(); ++quietLooks) {
        for (const test::ProcessEntry& process : test::processTable()) {
            if (test::hasInEnvironment(process.pid, mark)) {
                ::kill(process.pid, SIGKILL);
                quietLooks = 0;
            }
        }
        std::this_thread::sleep_for(10ms);
    }
}

/// The watchdog itself: deaf to signals, in a session of its own, and nobody waits for its streams.
[[noreturn]] void watch(const FileDescriptor& runEnds, const std::string& mark) {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    ::setsid();
    ::dup2(runEnds.get(), STDIN_FILENO);
    ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
    ::dup2(STDOUT_FILENO, STDERR_FILENO);
    ::closefrom(STDERR_FILENO + 1);
    char nothing;
    while (::read(STDIN_FILENO, &nothing, 1) < 0 && errno == EINTR) {
    }
    killAllWith(mark);
    ::_exit(0);
}

}  // namespace

Watchdog::Watchdog() {
    const std::string value =
        std::to_string(::getpid()) + "-" + std::to_string(test::Clock::now().time_since_epoch().count());
    ::setenv(variable, value.c_str(), 1);

    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe2");
    }
    const FileDescriptor runEnds(ends[0]);
    alive_ = FileDescriptor(ends[1]);
    const pid_t between = ::fork();
    if (between < 0) {
        throw std::system_error(errno, std::generic_category(), "fork");
    }
    if (between == 0) {
        if (::fork() == 0) {  // a grandchild, which becomes somebody else's
            alive_.reset();
            watch(runEnds, std::string(variable) + "=" + value);
        }
        ::_exit(0);
    }
    ::waitpid(between, nullptr, 0);
}

}  // namespace lifecycle::check
