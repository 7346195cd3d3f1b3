#pragma once

#include "line_pattern.h"

#include <cstddef>

namespace lifecycle::readme {

/// One line that a terminal printed while a block ran, as the README would show it.
struct PrintedLine {
    int terminal;
    std::size_t step; ///< the last step carried out before it arrived
    ComparedLine printed;
};

} // namespace lifecycle::readme
