#pragma once

#include <vector>

#include "chart.h"
#include "figure.h"

namespace lifecycle::bench {

/// How cost grows: exit time and memory against idle connections, exit time against requests in
/// flight. Beside ours Go's net/http, and nginx and HAProxy if the effort is made for peers.
std::vector<Chart> measureGrowth(const Effort& effort);

}  // namespace lifecycle::bench
