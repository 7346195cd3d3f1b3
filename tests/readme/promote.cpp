#include "promote.h"

#include "alignment.h"

#include <list>

namespace lifecycle::readme {

namespace {

/// A line below a prompt of the new block.
struct OutputLine {
    int terminal;
    std::string text;
    bool stays;
    bool marked; ///< `2> text`
};

/// The new block in the making.
class Draft {
public:
    Draft(const Script& script, OldLines oldLines)
        : script_(script), old_lines_(oldLines), output_(script.steps.size()) {
        for (std::size_t step = 0; step < script.steps.size(); ++step) {
            for (const ExpectedLine& line : script.steps[step].expected) {
                const bool stays = line.shown.text.empty() || standsForAnyLines(line.shown) ||
                                   script.steps[step].isLabTest();
                output_[step].push_back({line.terminal, line.shown.text, stays, line.marked});
            }
        }
    }

    /// Brings in what a terminal printed between two of its commands: in steps [begin, end).
    void bringIn(int terminal, std::size_t begin, std::size_t end,
                 const std::vector<PrintedLine>& printed) {
        std::vector<ExpectedLine> shown;
        std::vector<Place> places; // of each of them
        for (std::size_t step = begin; step < end; ++step) {
            auto line = output_[step].begin();
            for (const ExpectedLine& expected : script_.steps[step].expected) {
                if (expected.terminal == terminal && !expected.shown.text.empty()) {
                    shown.push_back(expected);
                    places.push_back({step, line});
                }
                ++line;
            }
        }
        std::vector<PrintedLine> news;
        std::vector<bool> behindEmpty; // does each of them follow an empty line?
        bool empty = false;
        for (const PrintedLine& line : printed) {
            if (line.terminal != terminal || line.step < begin || line.step >= end) {
                continue;
            }
            if (!line.printed.text.empty()) {
                news.push_back(line);
                behindEmpty.push_back(empty);
            }
            empty = line.printed.text.empty();
        }

        Place last{begin, output_[begin].end()};
        bool any = false; // is there a last line yet?
        for (const AlignedRow& row : align(shown, news, script_.options.anyOrder)) {
            if (!row.printed) {
                continue;
            }
            const PrintedLine& line = news[*row.printed];
            const bool absorbed = row.shown && standsForAnyLines(shown[*row.shown].shown);
            if (row.shown && (absorbed || places[*row.shown].step >= line.step)) {
                last = places[*row.shown];
                last.line->stays = true;
                if (!absorbed && retakes(last.line->text)) {
                    last.line->text = line.printed.text;
                }
            } else {
                const bool keeps = row.shown && !retakes(shown[*row.shown].shown.text);
                const std::string& text = keeps ? shown[*row.shown].shown.text : line.printed.text;
                last = insert(any && last.step >= line.step ? &last : nullptr, line.step, terminal,
                              text, behindEmpty[*row.printed]);
            }
            any = true;
        }
    }

    std::vector<std::string> lines() const {
        std::vector<std::string> result;
        for (std::size_t i = 0; i < script_.steps.size(); ++i) {
            const Step& step = script_.steps[i];
            result.insert(result.end(), step.promptLines.begin(), step.promptLines.end());
            for (const OutputLine& line : output_[i]) {
                if (line.stays) {
                    result.push_back((line.marked ? std::to_string(line.terminal) + "> " : "") +
                                     line.text);
                }
            }
        }
        return result;
    }

private:
    struct Place {
        std::size_t step;
        std::list<OutputLine>::iterator line;
    };

    bool retakes(const std::string& line) const {
        return old_lines_ == OldLines::retake && line.find("[..]") == std::string::npos;
    }

    /// Puts a new line behind `previous`, or first in `step` if there is none.
    Place insert(const Place* previous, std::size_t step, int terminal, const std::string& text,
                 bool behindEmpty) {
        const std::size_t target = previous ? previous->step : step;
        auto& lines = output_[target];
        const auto at = previous ? std::next(previous->line) : lines.begin();
        const bool marked = terminal != script_.steps[target].terminal;
        // The empty line behind ^C is the shell's.
        if (behindEmpty && previous && !script_.steps[target].isKey()) {
            lines.insert(at, {terminal, "", true, marked});
        }
        return {target, lines.insert(at, {terminal, text, true, marked})};
    }

    const Script& script_;
    const OldLines old_lines_;
    std::vector<std::list<OutputLine>> output_; ///< by step
};

} // namespace

std::vector<std::string> promote(const Script& script, const std::vector<PrintedLine>& printed,
                                 OldLines oldLines) {
    Draft draft(script, oldLines);
    for (int terminal = 1; terminal <= script.terminals(); ++terminal) {
        std::size_t begin = 0;
        for (std::size_t step = 1; step <= script.steps.size(); ++step) {
            const bool nextCommand = step == script.steps.size() ||
                                      (script.steps[step].terminal == terminal &&
                                       !script.steps[step].isKey());
            if (nextCommand) {
                draft.bringIn(terminal, begin, step, printed);
                begin = step;
            }
        }
    }
    return draft.lines();
}

} // namespace lifecycle::readme
