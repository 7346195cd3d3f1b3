#pragma once

#include <iosfwd>
#include <vector>

#include "figure.h"
#include "scoreboard.h"

namespace lifecycle::bench {

/// One table for people, written figure by figure, so that a long bench shows how far it is.
void printHeader(std::ostream& out);
void print(std::ostream& out, const Figure& figure);

/// The same for programs: {"figures": [{"name": …, "lines": [{"name": …, "value": …}]}], "scoreboard":
/// [{"server": …, "scenarios": [{"name": …, "result": …, "figure": …, "remark": …}]}]}.
void writeJson(std::ostream& out, const std::vector<Figure>& figures, const Scoreboard& board);

/// How many values are not what they should be, and figures that could not be measured.
int countMissed(const std::vector<Figure>& figures);

}  // namespace lifecycle::bench
