#pragma once

#include <iosfwd>
#include <vector>

#include "scenario.h"

namespace lifecycle::check {

struct ScenarioVerdict {
    const Scenario* scenario;
    Verdict verdict;
};

/// {"command": […], "failed": 1, "scenarios": [{"name": …, "result": "pass"|"fail"|"n/a", "figure": …,
/// "remark": …}]}
void writeJson(std::ostream& out, const std::vector<std::string>& command, const std::vector<ScenarioVerdict>& verdicts);

}  // namespace lifecycle::check
