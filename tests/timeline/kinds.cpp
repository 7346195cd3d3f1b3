#include "kinds.h"

namespace lifecycle::timeline {

const Look& lookOf(Kind kind) {
    static const std::map<Kind, Look> looks{
        {Kind::served, {"served", '=', "#a9dcb5", ""}},
        {Kind::unavailable, {"told 503", '5', "#fff3c4", "M0,6 L6,0"}},
        {Kind::refused, {"refused", 'r', "#ffffff", "M3,2.5 V3.5"}},
        {Kind::cut, {"cut", '/', "#f5b971", "M1,0 V6 M4,0 V6"}},
        {Kind::lost, {"lost", 'x', "#c2453a", "M0,6 L6,0 M0,0 L6,6"}},
        {Kind::step, {"step of the end", '-', "#c5d9f1", "M0,3 H6"}},
        {Kind::process, {"process", '_', "#d9d9d9", ""}},
    };
    return looks.at(kind);
}

std::map<Kind, int> countKinds(const Timeline& timeline) {
    std::map<Kind, int> counts;
    for (const Row& row : timeline.rows) {
        for (const Bar& bar : row.bars) {
            ++counts[bar.kind];
        }
    }
    return counts;
}

}  // namespace lifecycle::timeline
