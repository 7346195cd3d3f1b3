#include "lifecycle/signals.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <system_error>

namespace lifecycle {
namespace {

using enum DefaultAction;

constexpr std::array standard{
    SignalDescription{SIGHUP, "SIGHUP", terminate, true, "the terminal is gone; daemons: reload or restart"},
    SignalDescription{SIGINT, "SIGINT", terminate, true, "Ctrl-C: please shut down"},
    SignalDescription{SIGQUIT, "SIGQUIT", dumpCore, true, "Ctrl-\\: leave a core dump; many servers shut down"},
    SignalDescription{SIGILL, "SIGILL", dumpCore, true, "the program ran an illegal instruction"},
    SignalDescription{SIGTRAP, "SIGTRAP", dumpCore, true, "a debugger's breakpoint"},
    SignalDescription{SIGABRT, "SIGABRT", dumpCore, true, "abort() was called"},
    SignalDescription{SIGBUS, "SIGBUS", dumpCore, true, "access to memory that cannot be there"},
    SignalDescription{SIGFPE, "SIGFPE", dumpCore, true, "integer division by zero and the like"},
    SignalDescription{SIGKILL, "SIGKILL", terminate, false, "end at once, no clean-up possible"},
    SignalDescription{SIGUSR1, "SIGUSR1", terminate, true, "for the program to define"},
    SignalDescription{SIGSEGV, "SIGSEGV", dumpCore, true, "access to memory that is not ours"},
    SignalDescription{SIGUSR2, "SIGUSR2", terminate, true, "for the program to define"},
    SignalDescription{SIGPIPE, "SIGPIPE", terminate, true, "a write to a connection nobody reads"},
    SignalDescription{SIGALRM, "SIGALRM", terminate, true, "the alarm() clock has run down"},
    SignalDescription{SIGTERM, "SIGTERM", terminate, true, "please shut down: kill, docker stop, systemd, Kubernetes"},
    SignalDescription{SIGSTKFLT, "SIGSTKFLT", terminate, true, "unused today"},
    SignalDescription{SIGCHLD, "SIGCHLD", ignore, true, "a child process ended or stopped"},
    SignalDescription{SIGCONT, "SIGCONT", resume, true, "go on after a stop (fg, bg)"},
    SignalDescription{SIGSTOP, "SIGSTOP", stop, false, "stop at once, until SIGCONT"},
    SignalDescription{SIGTSTP, "SIGTSTP", stop, true, "Ctrl-Z: please stop, until SIGCONT"},
    SignalDescription{SIGTTIN, "SIGTTIN", stop, true, "a background job reads from the terminal"},
    SignalDescription{SIGTTOU, "SIGTTOU", stop, true, "a background job writes to the terminal"},
    SignalDescription{SIGURG, "SIGURG", ignore, true, "urgent data on a socket"},
    SignalDescription{SIGXCPU, "SIGXCPU", dumpCore, true, "the CPU time limit is used up"},
    SignalDescription{SIGXFSZ, "SIGXFSZ", dumpCore, true, "the file size limit is reached"},
    SignalDescription{SIGVTALRM, "SIGVTALRM", terminate, true, "a timer of CPU time has run down"},
    SignalDescription{SIGPROF, "SIGPROF", terminate, true, "a profiling timer has run down"},
    SignalDescription{SIGWINCH, "SIGWINCH", ignore, true, "the terminal window changed its size"},
    SignalDescription{SIGIO, "SIGIO", terminate, true, "input or output is possible"},
    SignalDescription{SIGPWR, "SIGPWR", terminate, true, "the power fails"},
    SignalDescription{SIGSYS, "SIGSYS", dumpCore, true, "a system call that does not exist"},
};

std::string upperCased(std::string_view text) {
    std::string upper(text);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return upper;
}

[[noreturn]] void reject(std::string_view text, const std::string& reason) {
    throw std::invalid_argument("\"" + std::string(text.substr(0, 40)) + "\" " + reason);
}

/// Those of `numbers` that are to be taken. Linux queues a blocked signal even if it is ignored, so an ignored
/// SIGHUP must not be waited for either.
sigset_t takeableSet(std::span<const int> numbers) {
    sigset_t set = signalSet(numbers);
    if (isIgnored(SIGHUP)) {
        sigdelset(&set, SIGHUP);
    }
    return set;
}

std::string cannotBeCaught(int number) {
    return signalName(number) + " cannot be caught, blocked or waited for: the kernel acts on it by itself";
}

}  // namespace

std::span<const SignalDescription> standardSignals() {
    return standard;
}

std::string signalName(int number) {
    for (const SignalDescription& signal : standard) {
        if (signal.number == number) {
            return std::string(signal.name);
        }
    }
    if (number == SIGRTMIN) {
        return "SIGRTMIN";
    }
    if (number > SIGRTMIN && number <= SIGRTMAX) {
        return "SIGRTMIN+" + std::to_string(number - SIGRTMIN);
    }
    return "signal " + std::to_string(number);
}

int parseSignal(std::string_view text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) {
        if (number < 1 || number > SIGRTMAX) {
            reject(text, "is not a signal: numbers go from 1 to " + std::to_string(SIGRTMAX));
        }
        return number;
    }
    const std::string upper = upperCased(text);
    const std::string name = upper.starts_with("SIG") ? upper : "SIG" + upper;
    for (const SignalDescription& signal : standard) {
        if (signal.name == name) {
            return signal.number;
        }
    }
    for (int realTime = SIGRTMIN; realTime <= SIGRTMAX; ++realTime) {
        if (signalName(realTime) == name) {
            return realTime;
        }
    }
    reject(text, "is not a signal: write a name such as TERM or SIGTERM, or a number");
}

std::vector<int> parseSignalList(std::string_view text) {
    std::vector<int> numbers;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t comma = std::min(text.find(',', begin), text.size());
        const std::string_view item = text.substr(begin, comma - begin);
        if (item.empty()) {
            reject(text, "names no signal: write a list such as INT,TERM");
        }
        const int number = parseSignal(item);
        if (number == SIGKILL || number == SIGSTOP) {
            reject(item, "is refused: " + cannotBeCaught(number));
        }
        if (number >= 32 && number < SIGRTMIN) {
            reject(item, "is refused: the C library keeps this signal for its threads");
        }
        if (std::find(numbers.begin(), numbers.end(), number) == numbers.end()) {
            numbers.push_back(number);
        }
        begin = comma + 1;
    }
    return numbers;
}

bool isIgnored(int number) {
    struct sigaction action {};
    return ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

sigset_t signalSet(std::span<const int> numbers) {
    sigset_t set;
    sigemptyset(&set);
    for (int number : numbers) {
        sigaddset(&set, number);
    }
    return set;
}

sigset_t blockSignals(std::span<const int> numbers) {
    const sigset_t set = takeableSet(numbers);
    // Blocked first, then un-ignored: in between, a signal waits instead of killing.
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    for (int number : numbers) {
        if (sigismember(&set, number)) {
            ::signal(number, SIG_DFL);
        }
    }
    if (!sigismember(&set, SIGPIPE)) {
        ::signal(SIGPIPE, SIG_IGN);
    }
    return set;
}

SignalInfo waitForSignal(std::span<const int> numbers) {
    const sigset_t set = takeableSet(numbers);
    siginfo_t info{};
    int number = -1;
    do {
        number = ::sigwaitinfo(&set, &info);
    } while (number == -1 && errno == EINTR);
    if (number == -1) {
        throw std::system_error(errno, std::generic_category(), "sigwaitinfo");
    }
    return {number, info.si_pid, info.si_uid, info.si_code == SI_KERNEL};
}

}  // namespace lifecycle
