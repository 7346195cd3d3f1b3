#include "core/event_line.h"

#include <limits.h>

#include <algorithm>
#include <cstdio>

namespace lifecycle::detail {
namespace {

constexpr std::size_t maxValue = 512;

/// Characters that control a terminal, that end a line for some readers, or that XML does not allow.
bool isUnsafe(char32_t character) {
    const auto within = [character](char32_t first, char32_t last) {
        return character >= first && character <= last;
    };
    return character < 0x20 || within(0x7f, 0x9f) ||   // controls
           within(0x2028, 0x2029) ||                   // separators of lines and paragraphs
           within(0x202a, 0x202e) || within(0x2066, 0x2069) ||  // direction of writing
           (character & 0xfffe) == 0xfffe;             // not characters
}

/// How many bytes at the beginning of `text` are one character that can be shown as it is; 0 if the
/// first byte must be escaped. `text` is not empty. Source: the table of well-formed UTF-8 in the
/// Unicode Standard, 3.9.
std::size_t safeBytes(std::string_view text) {
    const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned char first = byte(0);
    const std::size_t size = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    char32_t character = size == 1 ? first : first & (0xffU >> (size + 1));
    if ((size > 1 && (first < 0xc2 || first > 0xf4)) || text.size() < size) {
        return 0;
    }
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0) != 0x80) {
            return 0;
        }
        character = (character << 6) | (byte(i) & 0x3fU);
    }
    const bool overlong = (size == 3 && character < 0x800) || (size == 4 && character < 0x10000);
    const bool surrogate = character >= 0xd800 && character <= 0xdfff;
    return overlong || surrogate || character > 0x10ffff || isUnsafe(character) ? 0 : size;
}

bool needsQuotes(std::string_view value) {
    if (value.empty()) {
        return true;
    }
    while (!value.empty()) {
        const char c = value.front();
        const std::size_t size = safeBytes(value);
        if (size == 0 || c == ' ' || c == '"' || c == '=' || c == '\\') {
            return true;
        }
        value.remove_prefix(size);
    }
    return false;
}

/// Appends the first character of `value` and takes it off.
void appendEscaped(std::string& line, std::string_view& value) {
    const char c = value.front();
    const std::size_t size = safeBytes(value);
    if (c == '"' || c == '\\') {
        line += '\\';
        line += c;
    } else if (c == '\n') {
        line += "\\n";
    } else if (size == 0) {
        char escaped[5];
        std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
        line += escaped;
    } else {
        line += value.substr(0, size);
    }
    value.remove_prefix(std::max<std::size_t>(size, 1));
}

std::string_view shortened(std::string_view value) {
    if (value.size() <= maxValue) {
        return value;
    }
    std::size_t end = maxValue;
    while (end > maxValue - 4 && (static_cast<unsigned char>(value[end]) & 0xc0) == 0x80) {
        --end;  // not within a character of UTF-8
    }
    return value.substr(0, end);
}

void appendWhole(std::string& line, const EventField& field) {
    line += ' ';
    line += field.key();
    line += '=';
    std::string_view value = shortened(field.value());
    const std::string_view ellipsis = value.size() < field.value().size() ? "…" : "";
    if (!needsQuotes(value)) {
        line += value;
        line += ellipsis;
        return;
    }
    line += '"';
    while (!value.empty()) {
        appendEscaped(line, value);
    }
    line += ellipsis;
    line += '"';
}

void appendTime(std::string& line, Duration elapsed) {
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(elapsed).count();
    line += '+';
    line += std::to_string(milliseconds / 1000);
    const std::string fraction = std::to_string(milliseconds % 1000);
    line += '.';
    line.append(3 - fraction.size(), '0');
    line += fraction;
    line += "s ";
}

}  // namespace

void appendWord(std::string& line, Duration elapsed, std::string_view word) {
    appendTime(line, elapsed);
    line += word;
}

void appendField(std::string& line, const EventField& field) {
    const std::size_t before = line.size();
    appendWhole(line, field);
    if (line.size() + 1 > PIPE_BUF) {
        line.resize(before);
    }
}

}  // namespace lifecycle::detail
