#pragma once

#include <string>
#include <vector>

#include "timeline.h"

namespace lifecycle::timeline {

/// The pictures as one SVG document, one below the other. Kinds differ by pattern as well as by
/// colour; the document's title describes the pictures in one sentence each.
std::string svg(const std::vector<Timeline>& timelines);

}  // namespace lifecycle::timeline
