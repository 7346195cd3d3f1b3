#include "subject.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <sstream>

#include "descendants.h"
#include "http_client.h"
#include "interruption.h"
#include "lifecycle/duration.h"
#include "lifecycle/exit_code.h"
#include "lifecycle/signals.h"
#include "proc.h"

namespace lifecycle::check {
namespace {

using namespace std::chrono_literals;
using test::Clock;

std::vector<std::string> commandFor(const Settings& settings, int port) {
    std::vector<std::string> command = settings.command;
    for (std::string& argument : command) {
        for (std::size_t at = argument.find("{port}"); at != std::string::npos; at = argument.find("{port}")) {
            argument.replace(at, 6, std::to_string(port));
        }
    }
    return command;
}

/// What the command said last, for whoever wonders why it did not start.
std::string lastLine(const test::Process& process) {
    const auto lines = process.standardError();
    return lines.empty() ? "" : ": " + lines.back().text;
}

}  // namespace

Subject::Subject(const Settings& settings, Recording& recording, Wait wait, test::ProcessOptions options)
    : settings_(settings), recording_(recording) {
    const auto began = Clock::now();
    recording_.begin(began);
    {
        const auto lock = Interruption::noneNow();
        process_.emplace(commandFor(settings, port()), std::move(options));
    }
    process_->neverPrintLog();
    if (wait == Wait::untilServing) {
        try {
            waitUntilListening();
            waitUntilServing();
            startTook_ = Clock::now() - began;
        } catch (...) {
            const auto lock = Interruption::noneNow();
            process_.reset();
            test::killDescendants();
            throw;
        }
    }
}

Subject::~Subject() {
    const auto lock = Interruption::noneNow();  // what an interruption has killed is no result
    if (const auto status = process_->exitStatus()) {
        recording_.mark(status->at, "exit");
    }
    recording_.events(process_->events());
    process_.reset();
    test::killDescendants();  // what left the process group, and what a restart has put in its place
}

/// A process of another user (sudo) can be neither asked to end nor cleared away: there is no going on.
void Subject::leaveIfNotOurs() const {
    if (::kill(process_->pid(), 0) != 0 && errno == EPERM) {
        std::cerr << "drain_check: " << settings_.command.front()
                  << " may not be signalled by this user: run drain_check as the user that it becomes" << std::endl;
        std::quick_exit(exitUnavailable);
    }
}

void Subject::waitUntilListening() {
    const test::Deadline deadline = settings_.startLimit;
    bool listens = false;
    test::eventually(
        [&] {
            leaveIfNotOurs();
            listens = !listening().empty();
            return listens || process_->exitStatus();
        },
        deadline);
    std::ostringstream reason;
    reason << settings_.command.front();
    if (const auto status = process_->exitStatus()) {
        reason << (listens ? " went into the background: let it stay in the foreground"
                           : " ended before it listened (");
        if (!listens) {
            reason << *status << ')' << lastLine(*process_);
        }
    } else if (listens) {
        return;
    } else {
        reason << " does not listen on port " << port() << " within " << formatDuration(settings_.startLimit)
               << lastLine(*process_);
    }
    throw NeverListens(reason.str());
}

/// Listening is not serving yet: the first answer may take a while.
void Subject::waitUntilServing() {
    const test::Deadline deadline = settings_.startLimit;
    const std::string path = withWork(settings_.path, 0s);
    test::Response response;
    test::eventually(
        [&] {
            response = test::get(port(), path, deadline);
            return response.outcome == test::Outcome::complete || process_->exitStatus();
        },
        deadline);
    if (response.outcome != test::Outcome::complete) {
        throw NeverListens(settings_.command.front() + " listens, and does not answer GET " + path + " by HTTP");
    }
    firstStatus_ = response.status;
}

Clock::time_point Subject::signal(int number) {
    const auto now = Clock::now();
    recording_.mark(now, signalName(number));
    process_->signal(number);
    return now;
}

bool Subject::takesSignal(int number, test::Deadline deadline) const {
    return test::eventually(
        [&] {
            const auto pending = test::signalSets(process_->pid(), "ShdPnd");  // none: it is gone
            return pending.empty() || !pending.front().has(number);
        },
        deadline);
}

void Subject::freeze() const {
    const auto haveStopped = [] {
        bool all = true;
        for (const test::ProcessEntry& process : test::descendants()) {
            if (process.state != 'T' && process.state != 'Z') {
                ::kill(process.pid, SIGSTOP);
                all = false;
            }
        }
        return all;
    };
    if (!test::eventually(haveStopped, 10s)) {
        throw std::runtime_error("it cannot be stopped by SIGSTOP");
    }
}

void Subject::goOn() const {
    for (const test::ProcessEntry& process : test::descendants()) {
        ::kill(process.pid, SIGCONT);
    }
}

std::optional<test::ExitStatus> Subject::waitForExit(test::Deadline deadline) {
    try {
        return process_->waitForExit(deadline);
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
}

Listening Subject::listening() const {
    return listeningOn(port(), test::descendants());
}

ThreadTimes Subject::threadTimes() const {
    ThreadTimes times;
    for (const test::ProcessEntry& process : test::descendants()) {
        times.merge(threadTimesOf(process.pid));
    }
    return times;
}

}  // namespace lifecycle::check
