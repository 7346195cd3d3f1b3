#include "watchdog.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include "deadline.h"
#include "lifecycle/file_descriptor.h"
#include "process_table.h"

namespace lifecycle::check {
namespace {

using namespace std::chrono_literals;

constexpr const char* variable = "DRAIN_CHECK_RUN";

/// What the processes of a run have in common. Children inherit both; the second one survives `env -i`.
struct Mark {
    std::string variable;
    std::optional<rlim_t> limit;

    bool isOn(pid_t pid) const {
        rlimit its{};
        return test::hasInEnvironment(pid, variable) ||
               (limit && ::prlimit(pid, RLIMIT_RTTIME, nullptr, &its) == 0 && its.rlim_max == *limit);
    }
};

/// A limit on real-time scheduling with an unusual value, thousands of years. Nothing if there is a limit already.
std::optional<rlim_t> uniqueLimit() {
    rlimit present{};
    ::getrlimit(RLIMIT_RTTIME, &present);
    if (present.rlim_max != RLIM_INFINITY) {
        return std::nullopt;
    }
    const auto now = static_cast<rlim_t>(test::Clock::now().time_since_epoch().count());
    return (rlim_t{1} << 62) + (static_cast<rlim_t>(::getpid()) << 32) + (now & 0xffff'ffff);
}

/// Kills them until none has come up for some time: between its fork and its exec one can be overlooked.
void killAllWith(const Mark& mark) {
    const test::Deadline giveUp = 10s;
    for (int quietLooks = 0; quietLooks < 3 && !giveUp.passed(); ++quietLooks) {
        for (const test::ProcessEntry& process : test::processTable()) {
            if (mark.isOn(process.pid)) {
                ::kill(process.pid, SIGKILL);
                quietLooks = 0;
            }
        }
        std::this_thread::sleep_for(10ms);
    }
}

/// The watchdog itself: deaf to signals, in a session of its own, and nobody waits for its streams.
[[noreturn]] void watch(const FileDescriptor& runEnds, const Mark& mark) {
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

void startWatchdog() {
    const std::string value =
        std::to_string(::getpid()) + "-" + std::to_string(test::Clock::now().time_since_epoch().count());
    ::setenv(variable, value.c_str(), 1);
    const Mark mark{std::string(variable) + "=" + value, uniqueLimit()};

    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe2");
    }
    const FileDescriptor runEnds(ends[0]);
    FileDescriptor alive(ends[1]);
    const pid_t between = ::fork();
    if (between < 0) {
        throw std::system_error(errno, std::generic_category(), "fork");
    }
    if (between == 0) {
        if (::fork() == 0) {  // a grandchild, which becomes somebody else's
            alive.reset();
            watch(runEnds, mark);
        }
        ::_exit(0);
    }
    ::waitpid(between, nullptr, 0);
    if (mark.limit) {
        const rlimit marked{*mark.limit, *mark.limit};
        ::setrlimit(RLIMIT_RTTIME, &marked);
    }
    // Only the end of this process closes it: LeakSanitizer works in a marked process of its own until then.
    static_cast<void>(alive.release());
}

}  // namespace lifecycle::check
