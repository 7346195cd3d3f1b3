#include "text.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "kinds.h"
#include "sentence.h"

namespace lifecycle::timeline {
namespace {

constexpr int labelWidth = 18;
constexpr int plotWidth = 60;

int column(Seconds at, Seconds end) {
    return end <= 0 ? 0 : std::clamp(static_cast<int>(std::lround(at / end * (plotWidth - 1))), 0, plotWidth - 1);
}

std::string labelled(const std::string& label, const std::string& plot) {
    std::ostringstream line;
    line << std::left << std::setw(labelWidth) << label.substr(0, labelWidth - 1) << plot;
    std::string result = line.str();
    return result.erase(result.find_last_not_of(' ') + 1) + '\n';
}

std::string plotOf(const Row& row, const Timeline& timeline) {
    std::string plot(plotWidth, ' ');
    for (const Mark& mark : timeline.marks) {
        plot[static_cast<std::size_t>(column(mark.at, timeline.end()))] = '|';
    }
    for (const Bar& bar : row.bars) {
        for (int at = column(bar.begin, timeline.end()); at <= column(bar.end, timeline.end()); ++at) {
            plot[static_cast<std::size_t>(at)] = lookOf(bar.kind).letter;
        }
    }
    return plot;
}

}  // namespace

std::string text(const Timeline& timeline) {
    const Seconds end = timeline.end();
    std::string scale = "0 s";
    const std::string last = readable(end);
    scale += std::string(plotWidth - scale.size() - last.size(), ' ') + last;

    std::string result = timeline.title.empty() ? "" : timeline.title + "\n";
    result += labelled("", scale);
    for (const Row& row : timeline.rows) {
        result += labelled(row.label, plotOf(row, timeline));
    }
    for (const Mark& mark : timeline.marks) {
        const auto at = static_cast<std::size_t>(column(mark.at, end));
        const std::string left = mark.text + " ^";
        const bool fits = at + 2 + mark.text.size() <= plotWidth;
        result += labelled(readable(mark.at), fits ? std::string(at, ' ') + "^ " + mark.text
                                                   : std::string(at + 1 - std::min(at + 1, left.size()), ' ') + left);
    }
    std::string legend;
    for (const auto& [kind, count] : countKinds(timeline)) {
        legend += (legend.empty() ? "" : ", ") + (std::string(1, lookOf(kind).letter) + " " + lookOf(kind).word);
    }
    return result + (legend.empty() ? "" : labelled("", legend));
}

}  // namespace lifecycle::timeline
