#include "console_block.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

namespace lifecycle::readme {

namespace {

/// The opening line of a fenced block (CommonMark, 4.5).
struct Fence {
    std::size_t indent = 0;
    std::string marker; ///< three or more ` or ~
    std::string info;
};

std::optional<Fence> parseFence(const std::string& line) {
    const auto begin = line.find_first_not_of(' ');
    if (begin == std::string::npos || (line[begin] != '`' && line[begin] != '~')) {
        return std::nullopt;
    }
    const auto end = std::min(line.find_first_not_of(line[begin], begin), line.size());
    if (end - begin < 3) {
        return std::nullopt;
    }
    return Fence{begin, line.substr(begin, end - begin), line.substr(end)};
}

bool closes(const Fence& opening, const std::string& line) {
    const auto fence = parseFence(line);
    return fence && fence->marker.starts_with(opening.marker) &&
           fence->info.find_first_not_of(' ') == std::string::npos;
}

std::chrono::seconds parseTimeout(const std::string& text, std::size_t line) {
    int count = 0;
    const auto [unit, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    const std::string_view rest(unit, static_cast<std::size_t>(text.data() + text.size() - unit));
    if (error != std::errc() || count <= 0 || (rest != "s" && rest != "m")) {
        throw SyntaxError(line, "timeout=" + text + " is not like timeout=300s or timeout=5m");
    }
    return rest == "m" ? std::chrono::minutes(count) : std::chrono::seconds(count);
}

std::vector<std::string> splitAtCommas(const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, ',');) {
        parts.push_back(part);
    }
    return parts;
}

BlockOptions parseOptions(std::istream& words, std::size_t line) {
    BlockOptions options;
    for (std::string word; words >> word;) {
        const auto valueBegin = std::min(word.find('='), word.size() - 1) + 1;
        const std::string name = word.substr(0, word.find('='));
        const std::string value = word.substr(valueBegin);
        if (word == "any-order") {
            options.anyOrder = true;
        } else if (name == "timeout") {
            options.stepTimeout = parseTimeout(value, line);
        } else if (name == "skip-if-missing" && !value.empty()) {
            options.neededCommands = splitAtCommas(value);
        } else {
            throw SyntaxError(line, "'" + word + "' is no option of a console block; there are " +
                                        "any-order, timeout=300s and skip-if-missing=docker");
        }
    }
    return options;
}

std::string withoutIndent(const std::string& line, std::size_t indent) {
    return line.substr(std::min(line.find_first_not_of(' '), std::min(indent, line.size())));
}

} // namespace

std::vector<ConsoleBlock> findConsoleBlocks(const std::vector<std::string>& markdown) {
    std::vector<ConsoleBlock> blocks;
    for (std::size_t i = 0; i < markdown.size(); ++i) {
        const auto fence = parseFence(markdown[i]);
        if (!fence) {
            continue;
        }
        const std::size_t openingLine = i + 1;
        std::istringstream info(fence->info);
        std::string language;
        info >> language;

        ConsoleBlock block;
        block.firstLine = openingLine + 1;
        block.indent = fence->indent;
        for (++i; i < markdown.size() && !closes(*fence, markdown[i]); ++i) {
            block.lines.push_back(withoutIndent(markdown[i], fence->indent));
        }
        if (i == markdown.size()) {
            throw SyntaxError(openingLine, "this fenced block is never closed");
        }
        if (language == "console") {
            block.options = parseOptions(info, openingLine);
            blocks.push_back(std::move(block));
        }
    }
    return blocks;
}

} // namespace lifecycle::readme
