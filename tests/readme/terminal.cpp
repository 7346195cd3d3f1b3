#include "terminal.h"

#include "process_table.h"

#include "default_signals.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <regex>
#include <system_error>

namespace lifecycle::readme {

namespace {

constexpr char promptMark = '\x1d'; // "group separator": nothing prints it

/// `pidof` finds the processes of a name on the whole machine: beside this README other tests run,
/// and `kill $(pidof 01_signals)` must not hit theirs. So the shell gets one that lists only what
/// has this variable in its environment, which is all that this runner started.
constexpr const char* sessionVariable = "README_SESSION";
constexpr const char* ownPidof = R"(() {
    local pid
    for pid in $(command pidof "$@"); do
        grep -qszx "README_SESSION=$README_SESSION" "/proc/$pid/environ" && echo "$pid"
    done
})";

[[noreturn]] void becomeShell(const std::filesystem::path& directory, const std::filesystem::path& temporary) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    test::restoreDefaultSignals();

    termios settings{};
    ::tcgetattr(STDIN_FILENO, &settings);
    settings.c_lflag &= ~static_cast<tcflag_t>(ECHO);  // the README shows the commands already
    settings.c_oflag &= ~static_cast<tcflag_t>(OPOST); // no \r in front of \n
    ::tcsetattr(STDIN_FILENO, TCSANOW, &settings);

    ::setenv("PS1", std::string(1, promptMark).c_str(), 1);
    ::setenv("PS2", "", 1);
    ::setenv("TERM", "dumb", 1);
    ::setenv("TMPDIR", temporary.c_str(), 1);
    ::setenv("LC_ALL", "C.UTF-8", 1);
    ::setenv("HISTFILE", "/dev/null", 1);
    ::setenv("LAB_README_RUNNER", "1", 1);
    ::setenv(sessionVariable, std::to_string(::getppid()).c_str(), 1);
    ::setenv("BASH_FUNC_pidof%%", ownPidof, 1);
    for (const char* name : {"PROMPT_COMMAND", "ENV", "BASH_ENV", "MAKEFLAGS"}) {
        ::unsetenv(name);
    }
    if (::chdir(directory.c_str()) == 0) {
        ::execlp("bash", "bash", "--noprofile", "--norc", "--noediting", "-i", nullptr);
    }
    ::_exit(127);
}

/// What a terminal would have shown: no escape sequences for colours and the like (ECMA-48), and
/// nothing of the carriage return that HTTP and Windows put at the end of a line.
std::string plainText(const std::string& line) {
    static const std::regex escapes("\x1b\\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\r$");
    return std::regex_replace(line, escapes, "");
}

} // namespace

Terminal::Terminal(const std::filesystem::path& directory, const std::filesystem::path& temporary) {
    const winsize size{50, 200, 0, 0}; // wide enough that nothing is folded
    int master = -1;
    shell_ = ::forkpty(&master, nullptr, nullptr, &size);
    if (shell_ < 0) {
        throw std::system_error(errno, std::generic_category(), "forkpty");
    }
    if (shell_ == 0) {
        becomeShell(directory, temporary);
    }
    master_ = FileDescriptor(master);
    ::fcntl(master, F_SETFD, FD_CLOEXEC);
    ::fcntl(master, F_SETFL, O_NONBLOCK);
}

bool Terminal::programInForeground() const {
    pid_t group = -1;
    if (::ioctl(master_.get(), TIOCGPGRP, &group) != 0 || group == shell_) {
        return false;
    }
    const std::string shellArguments = test::commandLineOf(shell_);
    const auto all = test::processTable();
    return std::none_of(all.begin(), all.end(), [&](const test::ProcessEntry& process) {
        return process.group == group && test::commandLineOf(process.pid) == shellArguments;
    });
}

void Terminal::type(const std::string& command) {
    at_prompt_ = false;
    write(command + "\n");
}

void Terminal::press(char controlCharacter) {
    write(std::string(1, controlCharacter));
}

void Terminal::write(const std::string& keys) {
    // A line of keys fits the terminal's buffer of 4 KiB.
    [[maybe_unused]] const auto written = ::write(master_.get(), keys.data(), keys.size());
}

std::vector<std::string> Terminal::readLines() {
    std::vector<std::string> lines;
    const auto finishLine = [&] {
        lines.push_back(plainText(unfinished_));
        unfinished_.clear();
    };
    std::array<char, 4096> bytes;
    ssize_t count = 0;
    while (master_ && (count = ::read(master_.get(), bytes.data(), bytes.size())) > 0) {
        for (ssize_t i = 0; i < count; ++i) {
            const char c = bytes[static_cast<std::size_t>(i)];
            if (c == '\n') {
                finishLine();
            } else if (c == promptMark) {
                if (!unfinished_.empty()) {
                    finishLine();
                }
                at_prompt_ = true;
            } else {
                unfinished_ += c;
            }
        }
    }
    if (master_ && (count == 0 || errno == EIO)) { // EIO: nobody has the other end open any more
        master_.reset();
        at_prompt_ = true;
    }
    return lines;
}

} // namespace lifecycle::readme
