#include "timeline.h"

#include <algorithm>

namespace lifecycle::timeline {

Seconds Timeline::end() const {
    Seconds last = 0;
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

}  // namespace lifecycle::timeline
