#include "lifecycle/error_line.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace lifecycle {
namespace {

constexpr std::size_t keptInFront = 400;
constexpr std::size_t keptAtTheEnd = 700;

/// The length of the UTF-8 character that `text` begins with, and its number; 0 if it is not UTF-8.
std::size_t decode(std::string_view text, std::uint32_t& character) {
    const auto first = static_cast<unsigned char>(text[0]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length == 0 || length > text.size()) {
        return 0;
    }
    character = length == 1 ? first : first & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xc0) != 0x80) {
            return 0;
        }
        character = character << 6 | (next & 0x3f);
    }
    constexpr std::uint32_t least[]{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = character >= 0xd800 && character <= 0xdfff;
    return character < least[length] || character > 0x10ffff || surrogate ? 0 : length;
}

bool isPrintable(std::uint32_t character) {
    const auto within = [character](std::uint32_t from, std::uint32_t to) { return from <= character && character <= to; };
    return character >= 0x20 && !within(0x7f, 0x9f) && !within(0x200e, 0x200f) && !within(0x2028, 0x202e) &&
           !within(0x2066, 0x2069);
}

/// `text` in pieces that must not be divided: a character, or an escaped byte.
std::vector<std::string> printablePieces(std::string_view text) {
    std::vector<std::string> pieces;
    while (!text.empty()) {
        std::uint32_t character = 0;
        const std::size_t length = decode(text, character);
        if (length > 0 && isPrintable(character)) {
            pieces.emplace_back(text.substr(0, length));
            text.remove_prefix(length);
            continue;
        }
        for (std::size_t i = 0; i < std::max<std::size_t>(length, 1); ++i) {
            char escaped[5];
            std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(text[i]));
            pieces.emplace_back(escaped);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return pieces;
}

}  // namespace

std::string errorLine(std::string_view program, std::string_view message) {
    std::string text(program);
    text += ": ";
    text += message;
    const std::vector<std::string> pieces = printablePieces(text);
    std::string front;
    std::size_t begin = 0;
    while (begin < pieces.size() && front.size() + pieces[begin].size() <= keptInFront) {
        front += pieces[begin++];
    }
    std::size_t end = pieces.size();
    for (std::size_t size = 0; end > begin && size + pieces[end - 1].size() <= keptAtTheEnd; --end) {
        size += pieces[end - 1].size();
    }
    if (begin < end) {
        front += " [...] ";
    }
    for (; end < pieces.size(); ++end) {
        front += pieces[end];
    }
    return front;
}

void printError(std::string_view program, std::string_view message) {
    const std::string line = errorLine(program, message) + "\n";
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace lifecycle
