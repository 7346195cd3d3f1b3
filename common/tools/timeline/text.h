#pragma once

#include <string>

#include "timeline.h"

namespace lifecycle::timeline {

/// The picture for a terminal: 79 columns, a line for each row, the marks below.
std::string text(const Timeline& timeline);

}  // namespace lifecycle::timeline
