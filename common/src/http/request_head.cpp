#include "http/request_head.h"

#include <algorithm>
#include <string>
#include <vector>

#include <Poco/Ascii.h>

namespace lifecycle::http {
namespace {

using Poco::Net::HTTPMessage;
using Poco::Net::HTTPRequest;
using Poco::Net::HTTPResponse;

/// RFC 9110, 5.6.2.
bool isToken(std::string_view text) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return Poco::Ascii::isAlphaNumeric(static_cast<unsigned char>(c)) || others.find(c) != std::string_view::npos;
    });
}

bool isNumber(std::string_view text) {
    constexpr std::size_t mostDigits = 19;  // Poco refuses what does not fit into 64 bits
    return !text.empty() && text.size() <= mostDigits &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool isSame(std::string_view text, std::string_view name) {
    return text.size() == name.size() && std::equal(text.begin(), text.end(), name.begin(), [](char a, char b) {
               return Poco::Ascii::toLower(static_cast<unsigned char>(a)) ==
                      Poco::Ascii::toLower(static_cast<unsigned char>(b));
           });
}

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    return begin == std::string_view::npos ? std::string_view()
                                           : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Takes the first line off `head`, without its end.
std::string_view takeLine(std::string_view& head) {
    const std::size_t end = head.find('\n');
    std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(head.size(), line.size() + 1));
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    return line;
}

/// Poco ends a line at a CR, and skips a byte 0xff, which it takes for the end of the connection.
bool hasStrayControl(std::string_view line) {
    return line.find_first_of(std::string_view("\r\0\xff", 3)) != std::string_view::npos;
}

/// RFC 9112, 3.2, but for bytes beyond ASCII, which do no harm. Poco ends it at each kind of white space.
bool isTarget(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) > ' ' && c != '\x7f' && c != '\xff';
    });
}

}  // namespace

std::size_t headEnd(std::string_view bytes) {
    std::size_t at = bytes.find_first_not_of("\r\n");
    while (at != std::string_view::npos && (at = bytes.find('\n', at)) != std::string_view::npos) {
        ++at;
        const std::string_view next = bytes.substr(at);
        if (next.starts_with('\n') || next.starts_with("\r\n")) {
            return at + (next.starts_with('\n') ? 1 : 2);
        }
    }
    return std::string_view::npos;
}

std::optional<HTTPResponse::HTTPStatus> whyRefused(std::string_view head) {
    const std::string_view request = takeLine(head);
    const std::size_t first = request.find(' ');
    const std::size_t last = request.rfind(' ');
    const std::string_view version = request.substr(last == std::string_view::npos ? request.size() : last + 1);
    if (!isToken(request.substr(0, first)) || first == last ||
        !isTarget(request.substr(first + 1, last - first - 1)) || hasStrayControl(version)) {
        return HTTPResponse::HTTP_BAD_REQUEST;
    }
    if (version != HTTPMessage::HTTP_1_0 && version != HTTPMessage::HTTP_1_1) {
        return version.starts_with("HTTP/") ? HTTPResponse::HTTP_VERSION_NOT_SUPPORTED
                                            : HTTPResponse::HTTP_BAD_REQUEST;
    }
    int lengths = 0;
    std::optional<std::string_view> coding;
    for (std::string_view line = takeLine(head); !line.empty(); line = takeLine(head)) {
        const std::size_t colon = line.find(':');
        const std::string_view name = line.substr(0, colon);  // which a folded line does not have
        const std::string_view value = trimmed(line.substr(std::min(line.size(), name.size() + 1)));
        if (colon == std::string_view::npos || !isToken(name) || hasStrayControl(line)) {
            return HTTPResponse::HTTP_BAD_REQUEST;
        }
        if (isSame(name, HTTPMessage::CONTENT_LENGTH)) {
            if (!isNumber(value) || ++lengths > 1) {
                return HTTPResponse::HTTP_BAD_REQUEST;
            }
        } else if (isSame(name, HTTPMessage::TRANSFER_ENCODING)) {
            if (coding) {
                return HTTPResponse::HTTP_BAD_REQUEST;
            }
            coding = value;
        }
    }
    if (coding && (lengths > 0 || version == HTTPMessage::HTTP_1_0)) {
        return HTTPResponse::HTTP_BAD_REQUEST;
    }
    if (coding && !isSame(*coding, "chunked")) {
        return HTTPResponse::HTTP_NOT_IMPLEMENTED;
    }
    return std::nullopt;
}

bool asksForClose(const HTTPRequest& request) {
    for (const auto& [name, value] : request) {
        if (!isSame(name, HTTPMessage::CONNECTION)) {
            continue;
        }
        std::vector<std::string> options;
        HTTPRequest::splitElements(value, options);
        if (std::any_of(options.begin(), options.end(), [](const auto& option) { return isSame(option, "close"); })) {
            return true;
        }
    }
    return false;
}

}  // namespace lifecycle::http
