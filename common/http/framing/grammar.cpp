#include "http/framing/grammar.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <Poco/Ascii.h>

namespace lifecycle::http {
namespace {

/// A set of bytes, with look-up by index.
using Bytes = std::array<bool, 256>;

constexpr bool has(const Bytes& bytes, char c) {
    return bytes[static_cast<unsigned char>(c)];
}

constexpr Bytes alphanumericAnd(std::string_view others) {
    Bytes bytes{};
    for (unsigned c = 0; c < bytes.size(); ++c) {
        bytes[c] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }
    for (const char c : others) {
        bytes[static_cast<unsigned char>(c)] = true;
    }
    return bytes;
}

constexpr Bytes fieldBytes() {
    Bytes bytes{};
    for (unsigned c = 0; c < bytes.size(); ++c) {
        bytes[c] = c == '\t' || (c >= ' ' && c != 0x7f && c != 0xff);
    }
    return bytes;
}

constexpr Bytes tokenChars = alphanumericAnd("!#$%&'*+-.^_`|~");
constexpr Bytes hostChars = alphanumericAnd("-._~%!$&'()*+,;=");  // RFC 3986, 3.2.2
constexpr Bytes literalChars = alphanumericAnd("-._~!$&'()*+,;=:");
constexpr Bytes fieldChars = fieldBytes();

bool consistsOf(std::string_view text, const Bytes& bytes) {
    return std::all_of(text.begin(), text.end(), [&bytes](char c) { return has(bytes, c); });
}

/// Removes the longest prefix of such bytes from `text`, and returns it.
std::string_view take(std::string_view& text, const Bytes& bytes) {
    const auto end = std::find_if_not(text.begin(), text.end(), [&bytes](char c) { return has(bytes, c); });
    const std::string_view taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(taken.size());
    return taken;
}

void skipBlanks(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

/// RFC 9110, 5.6.4. Takes it off the front of `text`.
bool takeQuotedString(std::string_view& text) {
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (text[at] == '"') {
            text.remove_prefix(at + 1);
            return true;
        }
        at += text[at] == '\\' ? 1 : 0;
    }
    return false;
}

}  // namespace

bool isToken(std::string_view text) {
    return !text.empty() && consistsOf(text, tokenChars);
}

bool isFieldValue(std::string_view text) {
    return consistsOf(text, fieldChars);
}

bool isAuthority(std::string_view text) {
    const bool isLiteral = text.starts_with('[');  // an IPv6 address
    if (isLiteral) {
        text.remove_prefix(1);
        if (take(text, literalChars).empty() || !text.starts_with(']')) {
            return false;
        }
        text.remove_prefix(1);
    } else if (take(text, hostChars).empty()) {
        return false;
    }
    if (text.starts_with(':')) {
        text.remove_prefix(1);
        text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
    }
    return text.empty();
}

bool isChunkExtension(std::string_view text) {
    if (!isFieldValue(text)) {
        return false;
    }
    while (!text.empty()) {
        skipBlanks(text);
        if (!text.starts_with(';')) {
            return false;
        }
        text.remove_prefix(1);
        skipBlanks(text);
        if (take(text, tokenChars).empty()) {
            return false;
        }
        std::string_view value = text;
        skipBlanks(value);
        if (value.starts_with('=')) {
            value.remove_prefix(1);
            skipBlanks(value);
            if (value.starts_with('"') ? !takeQuotedString(value) : take(value, tokenChars).empty()) {
                return false;
            }
            text = value;
        }
    }
    return true;
}

bool equalsIgnoringCase(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char left, char right) {
        return Poco::Ascii::toLower(static_cast<unsigned char>(left)) ==
               Poco::Ascii::toLower(static_cast<unsigned char>(right));
    });
}

std::string_view trimmed(std::string_view text) {
    skipBlanks(text);
    return text.substr(0, text.find_last_not_of(" \t") + 1);
}

}  // namespace lifecycle::http
