#include "failure_report.h"

#include "alignment.h"

#include <algorithm>
#include <sstream>

namespace lifecycle::readme {

namespace {

/// What the README shows of a terminal, as far as the session came.
std::vector<ExpectedLine> shownBy(const Script& script, int terminal, std::size_t lastStep) {
    std::vector<ExpectedLine> lines;
    for (std::size_t i = 0; i <= lastStep; ++i) {
        for (const ExpectedLine& line : script.steps[i].expected) {
            if (line.terminal == terminal && !line.shown.text.empty() &&
                !script.steps[i].isLabTest()) {
                lines.push_back(line);
            }
        }
    }
    return lines;
}

std::vector<PrintedLine> printedBy(const SessionResult& result, int terminal) {
    std::vector<PrintedLine> lines;
    for (const PrintedLine& line : result.printed) {
        if (line.terminal == terminal && !line.printed.text.empty()) {
            lines.push_back(line);
        }
    }
    return lines;
}

/// Writes rows of a comparison, and above each the prompts that come before it.
class Comparison {
public:
    Comparison(std::ostream& stream, const Script& script, int terminal, std::size_t lastStep)
        : stream_(stream), script_(script), terminal_(terminal), last_step_(lastStep) {}

    void write(char mark, const std::string& text) {
        stream_ << "      " << mark << ' ' << text << '\n';
    }

    /// The prompts of this terminal up to and with `step`, as far as not written yet.
    void writePromptsUpTo(std::size_t step) {
        for (; next_ <= std::min(step, last_step_); ++next_) {
            if (script_.steps[next_].terminal == terminal_) {
                for (const std::string& line : script_.steps[next_].promptLines) {
                    write(' ', line);
                }
            }
        }
    }

    /// The same for the prompts above a line of the README.
    void writePromptsAbove(std::size_t line) {
        std::size_t step = 0;
        while (step < last_step_ && script_.steps[step + 1].line < line) {
            ++step;
        }
        writePromptsUpTo(step);
    }

private:
    std::ostream& stream_;
    const Script& script_;
    const int terminal_;
    const std::size_t last_step_;
    std::size_t next_ = 0;
};

} // namespace

std::string failureReport(const std::string& file, const Script& script,
                          const SessionResult& result) {
    const Failure& failure = *result.failure;
    std::ostringstream text;
    text << file << ':' << failure.line << ": " << failure.what << "\n\n    Terminal "
         << failure.terminal << " as far as it came (- only in the README, + only printed):\n\n";

    const auto shown = shownBy(script, failure.terminal, result.lastStep);
    const auto printed = printedBy(result, failure.terminal);
    Comparison comparison(text, script, failure.terminal, result.lastStep);
    for (const AlignedRow& row : align(shown, printed, script.options.anyOrder)) {
        if (row.shown) {
            comparison.writePromptsAbove(shown[*row.shown].line);
        } else {
            comparison.writePromptsUpTo(printed[*row.printed].step);
        }
        if (row.printed) {
            comparison.write(row.shown ? ' ' : '+', printed[*row.printed].printed.text);
        } else {
            comparison.write('-', shown[*row.shown].shown.text);
        }
    }
    comparison.writePromptsUpTo(result.lastStep);
    return text.str();
}

} // namespace lifecycle::readme
