#include "svg.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <map>
#include <set>
#include <sstream>

#include "kinds.h"
#include "sentence.h"
#include "xml_text.h"

namespace lifecycle::timeline {
namespace {

using test::toXml;

constexpr double width = 900;
constexpr double left = 150;   // of the plot; labels are left of it
constexpr double right = 860;
constexpr double rowHeight = 19;
constexpr double barHeight = 13;
constexpr double markHeight = 15;  // of one level of labels
constexpr double letterWidth = 6.6;
constexpr double minBarWidth = 4;  // so that a short bar is visible

std::string patternName(Kind kind) {
    return "kind" + std::to_string(static_cast<int>(kind));
}

/// A step for the scale that gives four to ten ticks: 1, 2 or 5 times a power of ten.
Seconds tick(Seconds end) {
    const double power = std::pow(10, std::floor(std::log10(std::max(end, 1e-3) / 4)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (end / (power * factor) <= 10) {
            return power * factor;
        }
    }
    return power * 10;
}

/// Draws one timeline at a height of the document.
class Panel {
public:
    Panel(std::ostream& out, const Timeline& timeline, double top)
        : out_(out), timeline_(timeline), end_(std::max(timeline.end(), 1e-3)), top_(top) {}

    /// Returns the height at which it ends.
    double draw() {
        text(16, top_ + 18, timeline_.title, "class=\"title\"");
        const double labels = top_ + 38;
        const double first = labels + markHeight * levels() + 4;
        const double last = first + rowHeight * static_cast<double>(timeline_.rows.size());
        scale(first, last);
        double y = first;
        for (const Row& row : timeline_.rows) {
            text(left - 8, y + barHeight, row.label, "text-anchor=\"end\"");
            for (const Bar& bar : row.bars) {
                box(begin(bar), y + 3, widthOf(bar), bar.kind);
            }
            y += rowHeight;
        }
        marks(labels, last);
        y = first;
        for (const Row& row : timeline_.rows) {  // over the marks, so that they can be read
            for (std::size_t i = 0; i < row.bars.size() && row.bars.size() <= 3; ++i) {
                name(row.bars[i], i + 1 < row.bars.size() ? begin(row.bars[i + 1]) : width, y + 3);
            }
            y += rowHeight;
        }
        return legend(last + 40);
    }

private:
    double x(Seconds at) const { return left + at / end_ * (right - left); }

    void text(double at, double y, const std::string& words, const std::string& attributes = "") {
        out_ << "<text x=\"" << at << "\" y=\"" << y << "\" " << attributes << '>' << toXml(words) << "</text>\n";
    }

    void line(double x1, double y1, double x2, double y2, const std::string& attributes) {
        out_ << "<line x1=\"" << x1 << "\" y1=\"" << y1 << "\" x2=\"" << x2 << "\" y2=\"" << y2 << "\" " << attributes
             << "/>\n";
    }

    void box(double at, double y, double wide, Kind kind) {
        const bool dotted = kind == Kind::refused;
        out_ << "<rect x=\"" << at << "\" y=\"" << y << "\" width=\"" << wide << "\" height=\"" << barHeight
             << "\" class=\"ink\" fill=\"url(#" << patternName(kind) << ")\""
             << (dotted ? " stroke-dasharray=\"2 1.5\"" : "") << "/>\n";
    }

    double widthOf(const Bar& bar) const { return std::max(minBarWidth, x(bar.end) - x(bar.begin)); }

    double begin(const Bar& bar) const { return std::min(x(bar.begin), right - minBarWidth); }

    /// After the bar, or inside it, or not at all if neither has room. `free` is where the next bar begins.
    void name(const Bar& bar, double free, double y) {
        const double length = letterWidth * static_cast<double>(bar.text.size());
        const double end = begin(bar) + widthOf(bar);
        const bool fits = end + 5 + length < free;
        if (bar.text.empty() || (!fits && widthOf(bar) < length + 10)) {
            return;
        }
        const double at = fits ? end + 5 : end - length - 5;
        out_ << "<rect x=\"" << at - 2 << "\" y=\"" << y + 1.5 << "\" width=\"" << length + 4 << "\" height=\""
             << barHeight - 3 << "\" class=\"paper\"/>\n";
        text(at, y + 10.5, bar.text, "class=\"small\"");
    }

    void scale(double top, double bottom) {
        const Seconds step = tick(end_);
        const int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(step))), 0, 3);
        for (Seconds at = 0; at <= end_ * 1.0001; at += step) {
            line(x(at), top, x(at), bottom, "class=\"grid\"");
            std::ostringstream label;
            label << std::fixed << std::setprecision(decimals) << at << " s";
            text(x(at), bottom + 14, label.str(), "text-anchor=\"middle\" class=\"small\"");
        }
        line(left, bottom, right, bottom, "class=\"ink\"");
    }

    /// The level of each mark's label, so that no two overlap; 0 is the highest.
    std::vector<int> placed() const {
        std::vector<double> freeFrom;
        std::vector<int> result;
        for (const Mark& mark : timeline_.marks) {
            const double length = letterWidth * static_cast<double>(label(mark).size()) + 8;
            const double begin = x(mark.at) + length < width ? x(mark.at) : x(mark.at) - length;
            std::size_t level = 0;
            while (level < freeFrom.size() && freeFrom[level] > begin) {
                ++level;
            }
            if (level == freeFrom.size()) {
                freeFrom.push_back(0);
            }
            freeFrom[level] = begin + length;
            result.push_back(static_cast<int>(level));
        }
        return result;
    }

    double levels() const {
        const auto all = placed();
        return all.empty() ? 0 : 1 + *std::max_element(all.begin(), all.end());
    }

    std::string label(const Mark& mark) const { return mark.text + " at " + readable(mark.at); }

    void marks(double top, double bottom) {
        const auto levelOf = placed();
        for (std::size_t i = 0; i < timeline_.marks.size(); ++i) {
            const Mark& mark = timeline_.marks[i];
            const double y = top + markHeight * levelOf[i];
            line(x(mark.at), y - 9, x(mark.at), bottom, "class=\"ink\" stroke-dasharray=\"5 3\"");
        }
        for (std::size_t i = 0; i < timeline_.marks.size(); ++i) {  // over the lines of the others
            const Mark& mark = timeline_.marks[i];
            const double y = top + markHeight * levelOf[i];
            const double length = letterWidth * static_cast<double>(label(mark).size()) + 8;
            const bool fits = x(mark.at) + length < width;
            out_ << "<rect x=\"" << (fits ? x(mark.at) + 2 : x(mark.at) - length + 4) << "\" y=\"" << y - 10
                 << "\" width=\"" << length - 6 << "\" height=\"" << markHeight - 2 << "\" class=\"paper\"/>\n";
            text(x(mark.at) + (fits ? 3 : -3), y, label(mark),
                 fits ? "class=\"small\"" : "class=\"small\" text-anchor=\"end\"");
        }
    }

    double legend(double y) {
        double at = left;
        for (const auto& [kind, count] : countKinds(timeline_)) {
            box(at, y - 11, 24, kind);
            const std::string words =
                lookOf(kind).word + (isRequest(kind) ? " (" + std::to_string(count) + ")" : "");
            text(at + 30, y, words, "class=\"small\"");
            at += 50 + letterWidth * static_cast<double>(words.size());
        }
        return y + 14;
    }

    std::ostream& out_;
    const Timeline& timeline_;
    const Seconds end_;
    const double top_;
};

/// Colours are in the style only, so that viewers with a dark colour scheme get others. The picture has its own
/// background: the page around it may have the other scheme.
void style(std::ostream& out, const std::set<Kind>& kinds) {
    out << "<style>\ntext { font: 12px monospace } .small { font-size: 11px } .title { font-weight: bold }\n";
    const auto colours = [&](bool dark, const char* ink, const char* paper, const char* grid) {
        out << "text { fill: " << ink << " } .ink { stroke: " << ink << " } .paper { fill: " << paper
            << " } .grid { stroke: " << grid << " }\n";
        for (const Kind kind : kinds) {
            out << '.' << patternName(kind) << "fill { fill: "
                << (dark ? lookOf(kind).darkColour : lookOf(kind).colour) << " }\n";
        }
    };
    colours(false, "#1f2328", "#ffffff", "#d1d9e0");
    out << "@media (prefers-color-scheme: dark) {\n";
    colours(true, "#e6edf3", "#161b22", "#3d444d");
    out << "}\n</style>\n";
}

void patterns(std::ostream& out, const std::set<Kind>& kinds) {
    out << "<defs>\n";
    for (const Kind kind : kinds) {
        const Look& look = lookOf(kind);
        out << "<pattern id=\"" << patternName(kind) << "\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
            << "<rect width=\"6\" height=\"6\" class=\"" << patternName(kind) << "fill\"/>";
        if (!look.pattern.empty()) {
            out << "<path d=\"" << look.pattern << "\" stroke-width=\"1\" class=\"ink\" fill=\"none\"/>";
        }
        out << "</pattern>\n";
    }
    out << "</defs>\n";
}

}  // namespace

std::string svg(const std::vector<Timeline>& timelines) {
    std::ostringstream body;
    body << std::fixed << std::setprecision(1);
    std::set<Kind> kinds;
    std::string title;
    double y = 4;
    for (const Timeline& timeline : timelines) {
        y = Panel(body, timeline, y).draw() + 8;
        title += (title.empty() ? "" : " ") + sentence(timeline);
        for (const auto& [kind, count] : countKinds(timeline)) {
            kinds.insert(kind);
        }
    }
    std::ostringstream out;
    out << std::fixed << std::setprecision(0);
    out << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width << "\" height=\"" << y << "\" viewBox=\"0 0 "
        << width << ' ' << y << "\" role=\"img\">\n<title>" << toXml(title) << "</title>\n";
    style(out, kinds);
    out << "<rect x=\"0.5\" y=\"0.5\" width=\"" << width - 1 << "\" height=\"" << y - 1
        << "\" rx=\"8\" class=\"paper grid\"/>\n";
    patterns(out, kinds);
    out << body.str() << "</svg>\n";
    return out.str();
}

}  // namespace lifecycle::timeline
