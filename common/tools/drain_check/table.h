#pragma once

#include <iosfwd>

#include "scenario.h"

namespace lifecycle::check {

/// What --list shows.
void printScenarios(std::ostream& out);

void printHeader(std::ostream& out);

/// One line: name, verdict, figure, and what was suffered or why it does not apply.
void print(std::ostream& out, const Scenario& scenario, const Verdict& verdict);

}  // namespace lifecycle::check
