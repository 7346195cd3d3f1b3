#include "session.h"

#include "descendants.h"
#include "job_notice.h"
#include "process.h"

#include <poll.h>

#include <algorithm>
#include <exception>
#include <regex>

namespace lifecycle::readme {

using namespace std::chrono_literals;
using test::Clock;
using test::Deadline;

namespace {

/// When recording, output that pauses this long is taken for all there is.
constexpr auto quietTime = 1s;

std::string quoted(const std::string& line) {
    return "\n\n        " + line;
}

std::string terminalName(int number) {
    return "terminal " + std::to_string(number);
}

} // namespace

Session::Session(const Script& script, const Places& places, Purpose purpose)
    : script_(script), places_(places), purpose_(purpose),
      substitutions_(places.root, places.programs) {
    for (int number = 1; number <= script.terminals(); ++number) {
        expected_.push_back(expectedOutput(script, number));
    }
}

SessionResult Session::run() {
    test::adoptOrphans();
    try {
        openTerminals();
        for (std::size_t step = 0; step < script_.steps.size(); ++step) {
            waitBefore(step);
            result_.lastStep = step;
            last_output_at_ = Clock::now();
            quiet_ = false;
            carryOut(script_.steps[step]);
        }
        waitForEnd();
    } catch (const Failure& failure) {
        result_.failure = failure;
        takeInForReport(failure.terminal);
    }
    terminals_.clear();
    test::killDescendants();
    return std::move(result_);
}

void Session::openTerminals() {
    for (int number = 1; number <= script_.terminals(); ++number) {
        terminals_.emplace_back(places_.root, temporary_.path());
    }
    const Deadline deadline = script_.options.stepTimeout;
    for (int number = 1; number <= script_.terminals(); ++number) {
        while (!terminal(number).atPrompt()) {
            if (deadline.passed()) {
                throw Failure{script_.firstLine, number, "the shell does not start"};
            }
            takeIn(deadline);
        }
    }
}

/// Blocks until `step` may be carried out: all output above it has appeared, and there is a prompt
/// to type a command at.
void Session::waitBefore(std::size_t step) {
    const Step& next = script_.steps[step];
    const Deadline deadline = script_.options.stepTimeout;
    const auto mayType = [&] { return next.isKey() || terminal(next.terminal).atPrompt(); };
    while (step > 0 && !(outputIsComplete() && mayType())) {
        if (deadline.passed() && !outputIsComplete()) {
            failForMissing("in time");
        }
        if (deadline.passed()) {
            throw Failure{next.line, next.terminal,
                          "the command of this line cannot be typed: " +
                              terminalName(next.terminal) + " is still busy with the last one." +
                              quoted("End that one in the README, for instance with ^C, or use "
                                     "another terminal.")};
        }
        takeIn(std::min(deadline.at(), Clock::now() + 50ms));
        failIfNothingElseCanCome();
    }
    if (terminal(next.terminal).closed()) {
        throw Failure{next.line, next.terminal,
                      "the shell of " + terminalName(next.terminal) + " has ended"};
    }
    if (step > 0 && !next.isKey() && everythingAppeared()) {
        expected(next.terminal).finish(step - 1);
    }
}

void Session::waitForEnd() {
    const Deadline deadline = script_.options.stepTimeout;
    while (!outputIsComplete() || busyTerminal()) {
        if (deadline.passed() && !outputIsComplete()) {
            failForMissing("in time");
        }
        if (const auto number = busyTerminal(); number && deadline.passed()) {
            throw Failure{script_.steps.back().line, *number,
                          "the block ends while " + terminalName(*number) + " is still busy." +
                              quoted("End its command in the README, for instance with ^C.")};
        }
        takeIn(std::min(deadline.at(), Clock::now() + 50ms));
        failIfNothingElseCanCome();
    }
}

void Session::carryOut(const Step& step) {
    if (step.isKey()) {
        pressKey(step);
    } else if (step.isLabTest()) {
        checkLabTest(step);
    } else {
        terminal(step.terminal).type(substitutions_.toReal(step.command));
    }
}

/// A key meant for a program must not reach the shell that is about to start it. Where no program
/// comes to the foreground (in `wait`, in a loop), the shell is who shall get it.
void Session::pressKey(const Step& step) {
    Terminal& target = terminal(step.terminal);
    test::eventually([&] { return target.atPrompt() || target.programInForeground(); }, 1s);
    target.press(step.key());
}

void Session::checkLabTest(const Step& step) {
    std::string help;
    try {
        const test::Process lab({"./lab", "help"}, {.directory = places_.root.string()});
        lab.waitForExit(script_.options.stepTimeout);
        help = lab.standardOutput();
    } catch (const std::exception& error) {
        throw Failure{step.line, step.terminal, std::string("./lab help: ") + error.what()};
    }
    if (!std::regex_search(help, std::regex(R"((^|\s)test(\s|$))"))) {
        throw Failure{step.line, step.terminal, "./lab help lists no command 'test'"};
    }
}

/// Is the output of the step at hand all there? The README says so; when recording, the prompt or
/// a pause does where it shows nothing, or something else.
bool Session::outputIsComplete() const {
    if (purpose_ == Purpose::check) {
        return everythingAppeared();
    }
    const Step& step = script_.steps[result_.lastStep];
    return quiet_ || (everythingAppeared() &&
                      (!step.expected.empty() || terminal(step.terminal).atPrompt()));
}

/// Has everything appeared that the README shows up to the step at hand?
bool Session::everythingAppeared() const {
    return !terminalThatOwesOutput();
}

std::optional<int> Session::terminalThatOwesOutput() const {
    for (int number = 1; number <= script_.terminals(); ++number) {
        if (!expected(number).reached(result_.lastStep)) {
            return number;
        }
    }
    return std::nullopt;
}

std::optional<int> Session::busyTerminal() const {
    for (int number = 1; number <= script_.terminals(); ++number) {
        if (!terminal(number).atPrompt()) {
            return number;
        }
    }
    return std::nullopt;
}

/// Blocks until there is output, or the deadline passes, and compares it.
void Session::takeIn(Deadline deadline) {
    std::vector<pollfd> polled;
    for (const Terminal& terminal : terminals_) {
        polled.push_back({terminal.descriptor(), POLLIN, 0});
    }
    const int ready = ::poll(polled.data(), polled.size(), deadline.pollTimeout());
    quiet_ = ready == 0 && Clock::now() - last_output_at_ >= quietTime;
    for (std::size_t i = 0; i < terminals_.size(); ++i) {
        for (const std::string& line : terminals_[i].readLines()) {
            take(static_cast<int>(i) + 1, line);
        }
    }
}

void Session::take(int number, const std::string& line) {
    last_output_at_ = Clock::now();
    const ComparedLine printed(substitutions_.toShown(line));
    const bool fits = printed.text.empty() || expected(number).accept(printed);
    if (!fits && isJobNotice(printed.text)) {
        return;
    }
    result_.printed.push_back({number, result_.lastStep, printed});
    if (fits || purpose_ == Purpose::record || result_.failure) {
        return;
    }
    const Step& step = script_.steps[result_.lastStep];
    std::string what = terminalName(number) + " printed" + quoted(printed.text);
    const auto missing = expected(number).missing(result_.lastStep);
    what += missing.empty() ? "\n\n    where the README shows no more output"
                            : "\n\n    where the README shows" + quoted(missing.front().shown.text);
    throw Failure{missing.empty() ? step.line : missing.front().line, number, what};
}

/// Saves the rest of the time limit: at a prompt, with no job in the background, there is nobody
/// left who could print what is missing.
void Session::failIfNothingElseCanCome() {
    const auto number = terminalThatOwesOutput();
    if (purpose_ == Purpose::record || !number || !terminal(*number).atPrompt() ||
        test::sessionHasOthers(terminal(*number).shell())) {
        return;
    }
    takeIn(0s); // what was printed just before the last one ended
    if (terminalThatOwesOutput() == number) {
        failForMissing("before its commands ended");
    }
}

/// What follows the line that differs helps to see why it does.
void Session::takeInForReport(int number) {
    const Deadline deadline = 500ms;
    while (!terminal(number).atPrompt() && !deadline.passed()) {
        takeIn(deadline);
    }
}

void Session::failForMissing(const std::string& why) {
    const int number = terminalThatOwesOutput().value_or(1);
    for (const ExpectedLine& line : expected(number).missing(result_.lastStep)) {
        throw Failure{line.line, number,
                      terminalName(number) + " did not print this line " + why + ":" +
                          quoted(line.shown.text)};
    }
    throw Failure{script_.steps[result_.lastStep].line, number,
                  "the output does not come to an end"};
}

} // namespace lifecycle::readme
