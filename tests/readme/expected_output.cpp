#include "expected_output.h"

#include "in_any_order.h"
#include "in_order.h"

namespace lifecycle::readme {

namespace {

ExpectedLines linesOf(const Script& script, int terminal) {
    ExpectedLines steps;
    for (const Step& step : script.steps) {
        auto& lines = steps.emplace_back();
        for (const ExpectedLine& line : step.expected) {
            if (line.terminal == terminal && !line.shown.text.empty() && !step.isLabTest()) {
                lines.push_back(line);
            }
        }
    }
    return steps;
}

} // namespace

std::unique_ptr<ExpectedOutput> expectedOutput(const Script& script, int terminal) {
    if (script.options.anyOrder) {
        return std::make_unique<InAnyOrder>(linesOf(script, terminal));
    }
    return std::make_unique<InOrder>(linesOf(script, terminal));
}

} // namespace lifecycle::readme
