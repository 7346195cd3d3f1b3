#pragma once

#include <string>

#include "timeline.h"

namespace lifecycle::timeline {

/// The picture in one sentence, for readers who cannot see it: "Graceful: requests: 6 served; background work:
/// 20 done; SIGTERM at 0.50 s, exit at 3.00 s."
std::string sentence(const Timeline& timeline);

/// "0.50 s".
std::string readable(Seconds seconds);

}  // namespace lifecycle::timeline
