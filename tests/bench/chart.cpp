#include "chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <limits>
#include <sstream>

#include "xml_text.h"

namespace lifecycle::bench {
namespace {

using test::toXml;

constexpr double width = 760;
constexpr double left = 70;
constexpr double right = 560;  // behind it stands which curve is whose
constexpr double height = 250;    // without notes
constexpr double noteHeight = 14;
constexpr std::size_t noteLetters = 108;

struct Style {
    const char* colour;
    const char* darkColour;  ///< for viewers who prefer a dark page
    const char* dashes;
    const char* mark;  ///< a path around 0,0
};

constexpr std::array<Style, 6> styles{{{"#0b5394", "#6cb6ff", "", "M-4,-4 h8 v8 h-8 z"},
                                       {"#b45f06", "#f0a35e", "7 3", "M0,-5 L5,4 L-5,4 z"},
                                       {"#38761d", "#6bc46d", "2 3", "M0,-5 L5,0 L0,5 L-5,0 z"},
                                       {"#741b47", "#e275ad", "10 3 2 3", "M-4,-4 L4,4 M-4,4 L4,-4"},
                                       {"#666666", "#9ea7b3", "4 2", "M0,-5 V5 M-5,0 H5"},
                                       {"#000000", "#e6edf3", "1 2", "M-4,0 H4"}}};

/// 1 to 5000 on an axis with a mark at each power of ten.
class Axis {
public:
    Axis(double low, double high, double begin, double end)
        : low_(std::floor(std::log10(low))),
          high_(std::max(low_ + 1, std::ceil(std::log10(high)))),
          begin_(begin),
          end_(end) {}

    double at(double value) const { return begin_ + (std::log10(value) - low_) / (high_ - low_) * (end_ - begin_); }

    std::vector<double> marks() const {
        std::vector<double> result;
        for (double power = low_; power <= high_; ++power) {
            result.push_back(std::pow(10, power));
        }
        return result;
    }

private:
    double low_;
    double high_;
    double begin_;
    double end_;
};

/// The notes in lines that fit below a chart.
std::vector<std::string> linesOf(const std::vector<std::string>& notes) {
    std::vector<std::string> lines;
    for (const std::string& note : notes) {
        std::istringstream words(note);
        std::string line;
        for (std::string word; words >> word;) {
            if (!line.empty() && line.size() + 1 + word.size() > noteLetters) {
                lines.push_back(line);
                line = "  ";
            }
            line += (line.empty() || line == "  " ? "" : " ") + word;
        }
        lines.push_back(line);
    }
    return lines;
}

double heightOf(const Chart& chart) {
    return height + noteHeight * static_cast<double>(linesOf(chart.notes).size());
}

void text(std::ostream& out, double x, double y, const std::string& words, const char* attributes = "") {
    out << "<text x=\"" << x << "\" y=\"" << y << "\" " << attributes << '>' << toXml(words) << "</text>\n";
}

void gridLine(std::ostream& out, double x1, double y1, double x2, double y2) {
    out << "<line x1=\"" << x1 << "\" y1=\"" << y1 << "\" x2=\"" << x2 << "\" y2=\"" << y2 << "\" class=\"grid\"/>\n";
}

/// What is drawn once for each point, and once in the legend.
void mark(std::ostream& out, double x, double y, std::size_t style) {
    out << "<path transform=\"translate(" << x << ' ' << y << ")\" d=\"" << styles[style].mark << "\" class=\"line" << style
        << " mark" << style << "\"/>\n";
}

/// Colours are in the style alone, so that a viewer who prefers a dark page gets others.
void colours(std::ostream& out, bool dark) {
    const char* const ink = dark ? "#e6edf3" : "#1f2328";
    const char* const paper = dark ? "#161b22" : "#ffffff";
    const char* const grid = dark ? "#3d444d" : "#d1d9e0";
    out << "text { fill: " << ink << " } .paper { fill: " << paper << " } .grid { stroke: " << grid << " }\n";
    for (std::size_t style = 0; style < styles.size(); ++style) {
        const char* const colour = dark ? styles[style].darkColour : styles[style].colour;
        out << ".line" << style << " { stroke: " << colour << " } .mark" << style << " { fill: " << colour << " }\n";
    }
}

std::string readable(double value) {
    std::ostringstream out;
    out << std::fixed << std::setprecision(value >= 1 ? 0 : static_cast<int>(std::ceil(-std::log10(value)))) << value;
    return out.str();
}

void draw(std::ostream& out, const Chart& chart, double top) {
    double low = std::numeric_limits<double>::max();
    double high = 0;
    double most = 1;
    for (const Chart::Curve& curve : chart.curves) {
        for (const Chart::Point& point : curve.points) {
            low = std::min(low, point.sample.median());
            high = std::max(high, point.sample.median());
            most = std::max(most, static_cast<double>(point.clients));
        }
    }
    low = std::clamp(low, 0.01, 1e9);
    const Axis x(1, most, left, right);
    const Axis y(low, std::max(low, high), top + height - 40, top + 40);
    text(out, 10, top + 18, chart.title + ", " + chart.unit, "class=\"title\"");
    for (const double power : y.marks()) {
        gridLine(out, left, y.at(power), right, y.at(power));
        text(out, left - 6, y.at(power) + 4, readable(power), "text-anchor=\"end\"");
    }
    for (const double power : x.marks()) {
        gridLine(out, x.at(power), top + 40, x.at(power), top + height - 40);
        text(out, x.at(power), top + height - 24, std::to_string(static_cast<int>(power)), "text-anchor=\"middle\"");
    }
    std::size_t index = 0;
    for (const Chart::Curve& curve : chart.curves) {
        const std::size_t style = index % styles.size();
        std::ostringstream path;
        path << std::fixed << std::setprecision(1);
        for (const Chart::Point& point : curve.points) {
            const double px = x.at(point.clients);
            const double py = y.at(std::max(low, point.sample.median()));
            path << (path.tellp() == 0 ? 'M' : 'L') << px << ',' << py << ' ';
            mark(out, px, py, style);
        }
        const double legend = top + 52 + 20 * static_cast<double>(index);
        path << 'M' << right + 16 << ',' << legend << " h34";
        out << "<path d=\"" << path.str() << "\" fill=\"none\" stroke-width=\"1.6\" class=\"line" << style
            << "\" stroke-dasharray=\"" << styles[style].dashes << "\"/>\n";
        mark(out, right + 33, legend, style);
        text(out, right + 58, legend + 4, curve.name);
        ++index;
    }
    double below = top + height - 6;
    for (const std::string& note : linesOf(chart.notes)) {
        text(out, 10, below, note, "class=\"small\"");
        below += noteHeight;
    }
}

}  // namespace

Figure asFigure(const Chart& chart) {
    Figure figure{chart.name, chart.title};
    for (const Chart::Curve& curve : chart.curves) {
        for (const Chart::Point& point : curve.points) {
            figure.lines.push_back(
                medianLine(curve.name + ", " + std::to_string(point.clients), chart.unit, point.sample));
        }
    }
    figure.notes = chart.notes;
    return figure;
}

std::string svg(const std::vector<Chart>& charts) {
    std::ostringstream out;
    double all = 0;
    for (const Chart& chart : charts) {
        all += heightOf(chart) + 8;
    }
    out << std::fixed << std::setprecision(1);
    out << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width << "\" height=\"" << all << "\" viewBox=\"0 0 "
        << width << ' ' << all << "\" role=\"img\">\n<title>";
    for (const Chart& chart : charts) {
        out << (&chart == &charts.front() ? "" : " ") << toXml(chart.title) << '.';
    }
    out << "</title>\n<style>\ntext { font: 12px monospace } .small { font-size: 11px } .title { font-weight: bold }\n";
    colours(out, false);
    out << "@media (prefers-color-scheme: dark) {\n";
    colours(out, true);
    out << "}\n</style>\n<rect width=\"100%\" height=\"100%\" class=\"paper\"/>\n";
    double top = 0;
    for (const Chart& chart : charts) {
        draw(out, chart, top);
        top += heightOf(chart) + 8;
    }
    out << "</svg>\n";
    return out.str();
}

}  // namespace lifecycle::bench
