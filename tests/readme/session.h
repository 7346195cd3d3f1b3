#pragma once

#include "expected_output.h"
#include "printed_line.h"
#include "script.h"
#include "substitutions.h"
#include "terminal.h"

#include "deadline.h"
#include "temp_dir.h"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lifecycle::readme {

/// Where a session takes place.
struct Places {
    std::filesystem::path root;     ///< of the repository: the working directory of the shells
    std::filesystem::path programs; ///< what READMEs call build/bin
};

/// Why a block is not what happens, for the one who reads the README.
struct Failure {
    std::size_t line = 0; ///< of the README
    int terminal = 1;
    std::string what;
};

struct SessionResult {
    std::vector<PrintedLine> printed;
    std::size_t lastStep = 0; ///< the last one that was carried out
    std::optional<Failure> failure;
};

enum class Purpose {
    check,  ///< stop at the first line that differs from the README
    record, ///< take in what is printed, whatever the README shows
};

/// Carries out one block in real terminals, step by step: see script.h for what leads it.
class Session {
public:
    Session(const Script& script, const Places& places, Purpose purpose);

    /// Blocks until the block is done, and everything it started is gone. Call it once.
    SessionResult run();

private:
    void openTerminals();
    void waitBefore(std::size_t step);
    void waitForEnd();
    void carryOut(const Step& step);
    void pressKey(const Step& step);
    void checkLabTest(const Step& step);

    bool outputIsComplete() const;
    bool everythingAppeared() const;
    std::optional<int> busyTerminal() const;
    void takeIn(test::Deadline deadline);
    void take(int terminal, const std::string& line);

    void failIfNothingElseCanCome();
    void takeInForReport(int terminal);
    [[noreturn]] void failForMissing(const std::string& why);
    std::optional<int> terminalThatOwesOutput() const;

    Terminal& terminal(int number) { return terminals_.at(static_cast<std::size_t>(number - 1)); }
    const Terminal& terminal(int number) const {
        return terminals_.at(static_cast<std::size_t>(number - 1));
    }
    ExpectedOutput& expected(int number) const {
        return *expected_.at(static_cast<std::size_t>(number - 1));
    }

    const Script& script_;
    const Places& places_;
    const Purpose purpose_;
    Substitutions substitutions_;
    test::TempDir temporary_;  // of the programs in the terminals; gone behind them
    std::vector<Terminal> terminals_;
    std::vector<std::unique_ptr<ExpectedOutput>> expected_;
    test::Clock::time_point last_output_at_; ///< or the last step
    bool quiet_ = false; ///< there was no output for a while, nor is there any now
    SessionResult result_; ///< grows with every step and line
};

} // namespace lifecycle::readme
