#pragma once

#include <vector>

#include "chart.h"
#include "figure.h"

namespace lifecycle::bench {

/// How cost grows: exit time and memory against idle connections, exit time against requests in
/// flight. With `peers` also Go's net/http, nginx and HAProxy, as far as they are installed.
std::vector<Chart> measureGrowth(const Effort& effort, bool peers);

}  // namespace lifecycle::bench
