#include "timeline.h"

#include <algorithm>

namespace lifecycle::timeline {

Seconds Timeline::end() const {
    Seconds last = until;
    for (const Row& row : rows) {
        for (const Bar& bar : row.bars) {
            last = std::max(last, bar.end);
        }
    }
    for (const Mark& mark : marks) {
        last = std::max(last, mark.at);
    }
    return last;
}

void drawToOneScale(std::vector<Timeline>& timelines) {
    Seconds last = 0;
    for (const Timeline& timeline : timelines) {
        last = std::max(last, timeline.end());
    }
    for (Timeline& timeline : timelines) {
        timeline.until = last;
    }
}

}  // namespace lifecycle::timeline
