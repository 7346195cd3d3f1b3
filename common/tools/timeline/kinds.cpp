#include "kinds.h"

namespace lifecycle::timeline {

const Look& lookOf(Kind kind) {
    static const std::map<Kind, Look> looks{
        {Kind::served, {"served", '=', "#a9dcb5", "#2c7a44", ""}},
        {Kind::unavailable, {"told 503", '5', "#fff3c4", "#6b5d1c", "M0,6 L6,0"}},
        {Kind::refused, {"refused", 'r', "#ffffff", "#161b22", "M3,2.5 V3.5"}},
        {Kind::cut, {"cut", '/', "#f5b971", "#a3620f", "M1,0 V6 M4,0 V6"}},
        {Kind::lost, {"lost", 'x', "#c2453a", "#c2453a", "M0,6 L6,0 M0,0 L6,6"}},
        {Kind::work, {"work done", '+', "#9fd8d2", "#1f7a78", "M1,1.5 H2.5 M4,4.5 H5.5"}},
        {Kind::lostWork, {"work lost", 'X', "#e58ac6", "#a63a86", "M0,0 L3,6 L6,0"}},
        {Kind::step, {"shutdown step", '-', "#c5d9f1", "#2f5486", "M0,3 H6"}},
        {Kind::process, {"process", '_', "#d9d9d9", "#484f58", ""}},
    };
    return looks.at(kind);
}

bool isRequest(Kind kind) {
    return kind == Kind::served || kind == Kind::unavailable || kind == Kind::refused || kind == Kind::cut ||
           kind == Kind::lost;
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
