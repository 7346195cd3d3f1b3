#include "report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>

namespace lifecycle::bench {
namespace {

/// Three digits that matter, or all that stand before the point.
std::string number(double value) {
    const double size = std::abs(value);
    const int decimals = value == std::floor(value) || size >= 100 ? 0 : size >= 10 ? 1 : 2;
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

std::string limit(const Target& target) {
    std::ostringstream text;
    text << (target.kind == Target::Kind::atMost ? "<= " : ">= ") << target.limit;
    return text.str();
}

void row(std::ostream& out, std::string_view name, std::string_view value, std::string_view unit,
         std::string_view spread, std::string_view runs, std::string_view target) {
    std::ostringstream line;
    line << std::left << std::setw(42) << name << std::right << std::setw(9) << value << ' '
         << std::left << std::setw(7) << unit << std::setw(18) << spread << std::right
         << std::setw(4) << runs << "  " << target;
    std::string text = line.str();
    text.erase(text.find_last_not_of(' ') + 1);
    out << text << '\n';
}

/// In quotes, for JSON (RFC 8259).
std::string jsonText(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            result += '\\';
        }
        result += c == '\n' ? ' ' : c;
    }
    return result + '"';
}

void writeLine(std::ostream& out, const Line& line) {
    out << "{\"name\": " << jsonText(line.name) << ", \"unit\": " << jsonText(line.unit)
        << ", \"value\": " << line.value << ", \"runs\": " << line.runs;
    if (line.spread) {
        out << ", \"low\": " << line.spread->low << ", \"high\": " << line.spread->high;
    }
    if (line.target) {
        out << ", \"target\": " << jsonText(limit(*line.target))
            << ", \"reached\": " << (line.missed() ? "false" : "true");
    }
    out << '}';
}

void writeScore(std::ostream& out, const Score& score) {
    out << "{\"server\": " << jsonText(score.server) << ", \"scenarios\": [";
    const char* between = "\n";
    for (const std::string& name : score.scenarios) {
        const Score::Cell& cell = score.cells.at(name);
        out << between << "    {\"name\": " << jsonText(name) << ", \"result\": " << jsonText(cell.result)
            << ", \"figure\": " << jsonText(cell.figure) << ", \"remark\": " << jsonText(cell.remark) << '}';
        between = ",\n";
    }
    out << "]}";
}

}  // namespace

void printHeader(std::ostream& out) {
    row(out, "", "median", "", "middle half", "runs", "target");
}

void print(std::ostream& out, const Figure& figure) {
    out << '\n' << figure.name << ": " << figure.meaning << '\n';
    for (const Line& line : figure.lines) {
        const std::string spread =
            line.spread ? number(line.spread->low) + " .. " + number(line.spread->high) : "";
        const std::string target =
            line.target ? limit(*line.target) + (line.missed() ? "  MISSED" : "  ok") : "";
        row(out, "  " + line.name, number(line.value), line.unit, spread,
            std::to_string(line.runs), target);
    }
    for (const std::string& note : figure.notes) {
        out << "  (" << note << ")\n";
    }
    out << std::flush;
}

void writeJson(std::ostream& out, const std::vector<Figure>& figures, const Scoreboard& board) {
    out << std::setprecision(9) << "{\"figures\": [";
    const char* betweenFigures = "\n";
    for (const Figure& figure : figures) {
        out << betweenFigures << "  {\"name\": " << jsonText(figure.name)
            << ", \"meaning\": " << jsonText(figure.meaning) << ", \"lines\": [";
        betweenFigures = ",\n";
        const char* betweenLines = "\n";
        for (const Line& line : figure.lines) {
            out << betweenLines << "    ";
            betweenLines = ",\n";
            writeLine(out, line);
        }
        out << "], \"notes\": [";
        const char* betweenNotes = "";
        for (const std::string& note : figure.notes) {
            out << betweenNotes << jsonText(note);
            betweenNotes = ", ";
        }
        out << "]}";
    }
    out << "\n], \"scoreboard\": [";
    const char* betweenScores = "\n";
    for (const Score& score : board.scores) {
        out << betweenScores << "  ";
        betweenScores = ",\n";
        writeScore(out, score);
    }
    out << "\n]}\n";
}

int countMissed(const std::vector<Figure>& figures) {
    int missed = 0;
    for (const Figure& figure : figures) {
        missed += figure.failed ? 1 : 0;
        missed += static_cast<int>(
            std::count_if(figure.lines.begin(), figure.lines.end(),
                          [](const Line& line) { return line.missed(); }));
    }
    return missed;
}

}  // namespace lifecycle::bench
