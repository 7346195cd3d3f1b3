#include "table.h"

#include <iomanip>
#include <ostream>
#include <sstream>

namespace lifecycle::check {
namespace {

void row(std::ostream& out, const std::string& name, const std::string& result, const std::string& figure,
         const std::string& remark) {
    std::ostringstream line;
    line << std::left << std::setw(21) << name << std::setw(6) << result << std::setw(22) << figure;
    if (figure.size() >= 22 && !remark.empty()) {
        line << "  ";
    }
    line << remark;
    std::string text = line.str();
    text.erase(text.find_last_not_of(' ') + 1);
    out << text << '\n' << std::flush;
}

}  // namespace

void printScenarios(std::ostream& out) {
    for (const Scenario& scenario : allScenarios()) {
        out << scenario.name << "\n    passes: " << scenario.passes << "\n    why:    " << scenario.why << '\n';
    }
}

void printHeader(std::ostream& out) {
    row(out, "scenario", "", "figure", "what a client suffered");
}

void print(std::ostream& out, const Scenario& scenario, const Verdict& verdict) {
    const bool failed = verdict.result == Verdict::Result::fail;
    row(out, scenario.name, failed ? "FAIL" : toString(verdict.result), verdict.figure, verdict.remark);
}

}  // namespace lifecycle::check
