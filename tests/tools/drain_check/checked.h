#pragma once

#include <map>
#include <string>
#include <vector>

namespace lifecycle::check {

/// A run of drain_check, and what it said.
struct Checked {
    struct Line {
        std::string result;
        std::string figure;
        std::string remark;
    };

    int code = -1;
    std::string output;
    std::string errors;
    std::map<std::string, Line> scenarios{};  ///< from its JSON file; empty if it wrote none

    const Line& of(const std::string& scenario) const { return scenarios.at(scenario); }
};

/// Runs drain_check with these arguments and --json; blocks until it has ended.
Checked runCheck(std::vector<std::string> options, const std::vector<std::string>& command);

/// A server with one fault, in one scenario, with limits that do not make anybody wait.
Checked::Line carelessIn(const std::string& fault, const std::string& scenario);

}  // namespace lifecycle::check
