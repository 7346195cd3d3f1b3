#pragma once

#include <string>
#include <vector>

namespace lifecycle::test {

/// Fails the test unless `command` is refused: exit code 64, nothing on stdout, and one line on
/// stderr with all these parts: what is refused, and what is allowed.
void checkRefused(const std::vector<std::string>& command, const std::vector<std::string>& parts);

/// What all stages promise: --help lists every one of `options` ("--work DURATION"), --version says
/// the version, unknown options and arguments are refused with the names that there are.
void checkCommonOptions(const std::string& stageName, const std::vector<std::string>& options);

/// That the option takes a duration. How durations are written is tested with the library.
void checkDurationOption(const std::string& stageName, const std::string& option);

} // namespace lifecycle::test
