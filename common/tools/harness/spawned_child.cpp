#include "spawned_child.h"

#include "default_signals.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace lifecycle::test {

namespace {

struct Pipe {
    FileDescriptor reader;
    FileDescriptor writer;
};

Pipe makePipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe2");
    }
    // Room for a test that gets to read late, on a busy machine: a server drops lines that nobody takes.
    ::fcntl(ends[1], F_SETPIPE_SZ, 1024 * 1024);
    return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

/// `environ` with the additions; an addition replaces the variable of the same name.
std::vector<std::string> environmentWith(const std::vector<std::string>& additions) {
    std::vector<std::string> result = additions;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view variable(*entry);
        const auto name = variable.substr(0, variable.find('=') + 1);
        bool replaced = false;
        for (const std::string& addition : additions) {
            replaced = replaced || std::string_view(addition).substr(0, name.size()) == name;
        }
        if (!replaced) {
            result.emplace_back(variable);
        }
    }
    return result;
}

std::vector<char*> pointersTo(const std::vector<std::string>& strings) {
    std::vector<char*> result;
    for (const std::string& text : strings) {
        result.push_back(const_cast<char*>(text.c_str()));
    }
    result.push_back(nullptr);
    return result;
}

/// Everything the child needs, prepared before fork: behind it only async-signal-safe calls are
/// allowed, because another thread may have held the allocator's lock.
struct ChildPlan {
    const ProcessOptions& options;
    char* const* argv;
    char* const* environment;
    int stdinFd;
    int stdoutFd;
    int stderrFd;
    pid_t parent;
};

bool becomeProgram(const ChildPlan& plan) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != plan.parent) {
        ::_exit(127); // the parent died before it could be watched
    }
    restoreDefaultSignals();
    if (plan.options.adoptsOrphans && ::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        return false;
    }
    for (const auto& [resource, value] : plan.options.limits) {
        const struct rlimit limit = {value, value};
        if (::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) {
            return false;
        }
    }
    if (!plan.options.directory.empty() && ::chdir(plan.options.directory.c_str()) != 0) {
        return false;
    }
    const int wanted[3] = {plan.stdinFd, plan.stdoutFd, plan.stderrFd};
    for (int standard = 0; standard < 3; ++standard) {
        if (wanted[standard] < 0) {
            ::close(standard);
        } else if (::dup2(wanted[standard], standard) < 0) {
            return false;
        }
    }
    ::execvpe(plan.argv[0], plan.argv, plan.environment);
    return false;
}

} // namespace

SpawnedChild spawn(const std::vector<std::string>& argv, const ProcessOptions& options) {
    if (argv.empty()) {
        throw std::invalid_argument("spawn: no program given");
    }
    FileDescriptor input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    Pipe output = makePipe();
    Pipe error = makePipe();
    Pipe failure = makePipe(); // carries errno; exec closes it, which is how success looks

    const auto variables = environmentWith(options.environment);
    const auto argvPointers = pointersTo(argv);
    const auto environmentPointers = pointersTo(variables);
    const ChildPlan plan{
        .options = options,
        .argv = argvPointers.data(),
        .environment = environmentPointers.data(),
        .stdinFd = options.closeStdin ? -1 : input.get(),
        .stdoutFd = options.closeStdout ? -1 : output.writer.get(),
        .stderrFd = options.closeStderr ? -1 : error.writer.get(),
        .parent = ::getpid(),
    };

    const pid_t pid = ::fork();
    if (pid < 0) {
        throw std::system_error(errno, std::generic_category(), "fork");
    }
    if (pid == 0) {
        becomeProgram(plan);
        const int reason = errno;
        [[maybe_unused]] const auto written =
            ::write(failure.writer.get(), &reason, sizeof reason);
        ::_exit(127);
    }

    ::setpgid(pid, pid); // here as well: whoever comes first, kill(-pid) works from now on
    failure.writer.reset();
    int reason = 0;
    if (::read(failure.reader.get(), &reason, sizeof reason) == sizeof reason) {
        ::waitpid(pid, nullptr, 0);
        throw std::system_error(reason, std::generic_category(), "cannot start " + argv[0]);
    }
    return {pid, std::move(output.reader), std::move(error.reader)};
}

} // namespace lifecycle::test
