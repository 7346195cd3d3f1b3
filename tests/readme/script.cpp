#include "script.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace lifecycle::readme {

namespace {

/// A line that begins with a terminal and a mark: `1$ command`, `2> output`.
struct MarkedLine {
    int terminal = 1;
    std::string text;
};

std::optional<MarkedLine> parsePrompt(const std::string& line) {
    if (line.starts_with("$ ")) {
        return MarkedLine{1, line.substr(2)};
    }
    if (line.size() > 3 && line[0] >= '1' && line[0] <= '9' && line.compare(1, 2, "$ ") == 0) {
        return MarkedLine{line[0] - '0', line.substr(3)};
    }
    return std::nullopt;
}

std::optional<MarkedLine> parseMarkedOutput(const std::string& line) {
    if (line.size() >= 2 && line[0] >= '1' && line[0] <= '9' && line[1] == '>' &&
        (line.size() == 2 || line[2] == ' ')) {
        return MarkedLine{line[0] - '0', line.size() == 2 ? "" : line.substr(3)};
    }
    return std::nullopt;
}

} // namespace

bool Step::isKey() const {
    return command == "^C" || command == "^Z" || command == "^\\" || command == "^D";
}

bool Step::isLabTest() const {
    return command == "./lab test" || command.starts_with("./lab test ");
}

int Script::terminals() const {
    int highest = 1;
    for (const Step& step : steps) {
        highest = std::max(highest, step.terminal);
        for (const ExpectedLine& line : step.expected) {
            highest = std::max(highest, line.terminal);
        }
    }
    return highest;
}

Script parseScript(const ConsoleBlock& block) {
    Script script;
    script.options = block.options;
    script.firstLine = block.firstLine;
    bool commandGoesOn = false;
    for (std::size_t i = 0; i < block.lines.size(); ++i) {
        const std::string& line = block.lines[i];
        const std::size_t number = block.firstLine + i;
        if (commandGoesOn) {
            Step& step = script.steps.back();
            step.command += "\n" + line;
            step.promptLines.push_back(line);
        } else if (const auto prompt = parsePrompt(line)) {
            Step step;
            step.terminal = prompt->terminal;
            step.command = prompt->text;
            step.line = number;
            step.promptLines = {line};
            script.steps.push_back(std::move(step));
        } else if (script.steps.empty()) {
            throw SyntaxError(number, "a console block begins with a prompt, such as '1$ ls'");
        } else if (const auto output = parseMarkedOutput(line)) {
            script.steps.back().expected.push_back({output->terminal, output->text, number, true});
        } else {
            Step& step = script.steps.back();
            step.expected.push_back({step.terminal, line, number});
        }
        commandGoesOn = !script.steps.empty() && script.steps.back().expected.empty() &&
                          line.ends_with('\\') && !script.steps.back().isKey();
    }
    if (script.steps.empty()) {
        throw SyntaxError(block.firstLine, "this console block has no prompt, such as '1$ ls'");
    }
    return script;
}

} // namespace lifecycle::readme
