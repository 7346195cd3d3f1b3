#include "process.h"

#include "test_outcome.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <stdexcept>

namespace lifecycle::test {

namespace {

/// Blocks until `pid` has ended and says how. It stays a zombie, and so the number its own.
ExitStatus waitWithoutReaping(pid_t pid) {
    siginfo_t info = {};
    while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 &&
           errno == EINTR) {
    }
    ExitStatus status;
    status.at = Clock::now();
    if (info.si_code == CLD_EXITED) {
        status.code = info.si_status;
    } else {
        status.signal = info.si_status;
    }
    return status;
}

} // namespace

std::ostream& operator<<(std::ostream& stream, const ExitStatus& status) {
    if (status.signal != 0) {
        return stream << "killed by signal " << status.signal << " (" << ::strsignal(status.signal)
                      << ")";
    }
    return stream << "exit code " << status.code;
}

Process::Process(std::vector<std::string> argv, ProcessOptions options)
    : argv_(std::move(argv)), options_(std::move(options)),
      exceptions_at_start_(std::uncaught_exceptions()) {
    std::promise<void> promise;
    auto started = promise.get_future();
    // The thread that forks must be the one that waits: see spawned_child.h.
    waiter_ = std::thread([this, promise = std::move(promise)]() mutable {
        startAndWait(promise);
    });
    try {
        started.get();
    } catch (...) {
        waiter_.join();
        throw;
    }
}

Process::~Process() {
    // The group: what the program started goes with it. Should none of it be left, the number
    // is free, but pids are given out in turn: nobody else has it before all others were used.
    ::kill(-pid_, SIGKILL);
    waiter_.join();
    if (testIsFailing() && !never_print_) {
        std::cerr << log() << std::flush;
    }
}

void Process::startAndWait(std::promise<void>& started) {
    try {
        SpawnedChild child = spawn(argv_, options_);
        pid_ = child.pid;
        output_ = std::make_unique<CapturedOutput>(std::move(child.standardOutput),
                                                   std::move(child.standardError));
    } catch (...) {
        started.set_exception(std::current_exception());
        return;
    }
    started.set_value();

    const ExitStatus status = waitWithoutReaping(pid_);
    output_->takeInRest();

    const std::lock_guard lock(mutex_);
    ::waitpid(pid_, nullptr, 0);
    status_ = status;
    ended_.notify_all();
}

bool Process::testIsFailing() const {
    return currentTestHasFailed() || std::uncaught_exceptions() > exceptions_at_start_;
}

void Process::signal(int number) const {
    const std::lock_guard lock(mutex_);
    if (!status_) { // not reaped, so the pid is still the program's
        ::kill(pid_, number);
    }
}

Event Process::waitForEvent(std::string_view word, Deadline deadline,
                            const EventCondition& condition) const {
    std::optional<Event> found;
    output_->waitForEvents(
        [&](const std::vector<Event>& events) {
            const auto match = std::find_if(events.begin(), events.end(), [&](const Event& event) {
                return event.word == word && (!condition || condition(event));
            });
            if (match != events.end()) {
                found = *match;
            }
            return found.has_value();
        },
        deadline);
    if (!found) {
        std::ostringstream reason;
        reason << argv_.front() << " wrote no event '" << word << "'"
               << (condition ? " of the kind waited for" : "");
        if (const auto status = exitStatus()) {
            reason << ", and it has ended: " << *status;
        }
        throw std::runtime_error(reason.str());
    }
    return *found;
}

std::vector<Event> Process::events(std::string_view word) const {
    std::vector<Event> result = events();
    std::erase_if(result, [&](const Event& event) { return event.word != word; });
    return result;
}

ExitStatus Process::waitForExit(Deadline deadline) const {
    std::unique_lock lock(mutex_);
    if (!ended_.wait_until(lock, deadline.at(), [this] { return status_.has_value(); })) {
        throw std::runtime_error(argv_.front() + " has not ended in time");
    }
    return *status_;
}

std::optional<ExitStatus> Process::exitStatus() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

std::string Process::log() const {
    std::ostringstream text;
    text << "---- log of";
    for (const std::string& argument : argv_) {
        text << ' ' << argument;
    }
    text << " (pid " << pid_ << ", ";
    if (const auto status = exitStatus()) {
        text << *status;
    } else {
        text << "still running";
    }
    text << ")\n" << std::fixed << std::setprecision(3);
    for (const CapturedLine& line : standardError()) {
        const std::chrono::duration<double> age = line.arrivedAt - started_at_;
        text << std::setw(9) << age.count() << "  " << line.text << '\n';
    }
    if (const std::string output = standardOutput(); !output.empty()) {
        text << "---- its stdout\n" << output << (output.ends_with('\n') ? "" : "\n");
    }
    text << "----\n";
    return text.str();
}

} // namespace lifecycle::test
