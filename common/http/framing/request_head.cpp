#include "http/framing/request_head.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include <Poco/Ascii.h>
#include <Poco/Net/HTTPMessage.h>
#include <Poco/Net/HTTPRequest.h>

#include "http/framing/grammar.h"

namespace lifecycle::http {
namespace {

using Poco::Net::HTTPMessage;
using Poco::Net::HTTPRequest;
using Poco::Net::HTTPResponse;

constexpr std::size_t maxHead = 64 * 1024;
constexpr std::size_t maxMethod = 32;
constexpr std::size_t maxTarget = 16 * 1024;
constexpr std::size_t maxFields = 100;

/// RFC 9112, 3.2, except that bytes beyond ASCII, which do no harm, are allowed.
bool isTargetChar(char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7f' && c != '\xff';
}

/// Whether `c` may be at this place of a version and its line's end. RFC 9112, 2.3.
bool fitsVersion(std::size_t place, char c, char before) {
    constexpr std::string_view pattern = "HTTP/d.d";
    if (place < pattern.size()) {
        return pattern[place] == 'd' ? Poco::Ascii::isDigit(c) : pattern[place] == c;
    }
    return place == pattern.size() ? c == '\r' || c == '\n' : before == '\r' && c == '\n';
}

/// The authority of "http://host:80/path". RFC 9112, 3.2.2.
std::optional<std::string_view> authorityOf(std::string_view target) {
    constexpr std::string_view separator = "://";
    const std::size_t scheme = target.find(separator);
    if (scheme == std::string_view::npos || !isToken(target.substr(0, scheme))) {
        return std::nullopt;
    }
    const std::string_view rest = target.substr(scheme + separator.size());
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    return isAuthority(authority) ? std::optional(authority) : std::nullopt;
}

/// Takes an element off a list with commas.
std::string_view takeElement(std::string_view& list) {
    const std::string_view element = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), element.size() + 1));
    return trimmed(element);
}

std::optional<std::uint64_t> parseLength(std::string_view text) {
    std::int64_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    const bool isNumber = !text.empty() && text.front() != '-' && error == std::errc() &&
                          end == text.data() + text.size();
    return isNumber ? std::optional(static_cast<std::uint64_t>(length)) : std::nullopt;
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

RequestHead::State RequestHead::parse(std::string_view bytes) {
    bytes_ = bytes;
    while (state_ == State::incomplete && next_ < bytes.size()) {
        if (const Fault fault = step_ == Step::fields ? parseFieldLine() : parseRequestLine()) {
            status_ = *fault;
            state_ = State::malformed;
        }
    }
    return state_;
}

void RequestHead::clear() {
    std::vector<Field> fields = std::move(fields_);
    fields.clear();
    *this = RequestHead();
    fields_ = std::move(fields);  // keeps its memory
}

bool RequestHead::isPersistent() const {
    // After a successful CONNECT the connection carries something else. RFC 9110, 9.3.6.
    return !asksForClose_ && (asksForKeepAlive_ || version() == HTTPMessage::HTTP_1_1) &&
           method() != HTTPRequest::HTTP_CONNECT;
}

RequestHead::Part RequestHead::partOf(std::string_view text) const {
    return {static_cast<std::uint32_t>(text.data() - bytes_.data()), static_cast<std::uint32_t>(text.size())};
}

/// One byte of it, so that a wrong one is noticed when it arrives.
RequestHead::Fault RequestHead::parseRequestLine() {
    const std::size_t at = next_++;
    const char c = bytes_[at];
    if (step_ == Step::version) {
        if (!fitsVersion(at - version_.begin, c, bytes_[at - 1])) {
            return HTTPResponse::HTTP_BAD_REQUEST;
        }
        if (c == '\n') {
            version_.size = static_cast<std::uint32_t>(std::string_view(HTTPMessage::HTTP_1_1).size());
            lineBegin_ = next_;
            step_ = Step::fields;
            return checkTarget();
        }
        return std::nullopt;
    }
    Part& part = step_ == Step::method ? method_ : target_;
    part.size = static_cast<std::uint32_t>(at - part.begin);
    if (c == ' ' && part.size > 0) {
        (step_ == Step::method ? target_ : version_).begin = static_cast<std::uint32_t>(next_);
        step_ = step_ == Step::method ? Step::target : Step::version;
        return std::nullopt;
    }
    if (step_ == Step::method) {
        const bool fits = part.size < maxMethod && isToken(bytes_.substr(at, 1));
        return fits ? std::nullopt : Fault(HTTPResponse::HTTP_BAD_REQUEST);
    }
    return !isTargetChar(c)          ? Fault(HTTPResponse::HTTP_BAD_REQUEST)
           : part.size == maxTarget ? Fault(HTTPResponse::HTTP_REQUEST_URI_TOO_LONG)
                                    : std::nullopt;
}

/// RFC 9112, 3.2: which form fits which method.
RequestHead::Fault RequestHead::checkTarget() {
    if (version() != HTTPMessage::HTTP_1_0 && version() != HTTPMessage::HTTP_1_1) {
        return HTTPResponse::HTTP_VERSION_NOT_SUPPORTED;
    }
    bool fits = false;
    if (method() == HTTPRequest::HTTP_CONNECT) {
        const std::size_t port = target().rfind(':');
        fits = isAuthority(target()) && port < target().size() - 1 && target().find(']', port) == std::string_view::npos;
    } else if (target().starts_with('/')) {
        fits = true;
    } else if (target() == "*") {
        fits = method() == HTTPRequest::HTTP_OPTIONS;
    } else if (const auto authority = authorityOf(target())) {
        authority_ = partOf(*authority);
        fits = true;
    }
    return fits ? std::nullopt : Fault(HTTPResponse::HTTP_BAD_REQUEST);
}

RequestHead::Fault RequestHead::parseFieldLine() {
    const std::size_t end = bytes_.find('\n', next_);
    next_ = end == std::string_view::npos ? bytes_.size() : end + 1;
    if (next_ > maxHead) {
        return HTTPResponse::HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
    }
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view line = bytes_.substr(lineBegin_, end - lineBegin_);
    lineBegin_ = next_;
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    if (line.empty()) {
        state_ = State::complete;
        return checkFields();
    }
    return parseField(line);
}

RequestHead::Fault RequestHead::parseField(std::string_view line) {
    constexpr Fault malformed = HTTPResponse::HTTP_BAD_REQUEST;
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);  // which begins with a blank if the line is folded
    const std::string_view value = trimmed(line.substr(std::min(line.size(), name.size() + 1)));
    if (colon == std::string_view::npos || !isToken(name) || !isFieldValue(value)) {
        return malformed;
    }
    if (fields_.size() == maxFields) {
        return HTTPResponse::HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
    }
    fields_.push_back({partOf(name), partOf(value)});
    if (equalsIgnoringCase(name, HTTPRequest::HOST)) {
        const bool isSecond = std::exchange(hasHost_, true);
        return isSecond || !(value.empty() || isAuthority(value)) ? malformed : std::nullopt;
    }
    if (equalsIgnoringCase(name, HTTPMessage::CONTENT_LENGTH)) {
        const bool isSecond = length_.has_value();
        length_ = parseLength(value);
        return isSecond || !length_ ? malformed : std::nullopt;
    }
    if (equalsIgnoringCase(name, HTTPMessage::TRANSFER_ENCODING)) {
        return std::exchange(coding_, partOf(value)) ? malformed : std::nullopt;
    }
    if (equalsIgnoringCase(name, HTTPMessage::CONNECTION)) {
        for (std::string_view options = value; !options.empty();) {
            const std::string_view option = takeElement(options);
            asksForClose_ = asksForClose_ || equalsIgnoringCase(option, HTTPMessage::CONNECTION_CLOSE);
            asksForKeepAlive_ = asksForKeepAlive_ || equalsIgnoringCase(option, HTTPMessage::CONNECTION_KEEP_ALIVE);
        }
    }
    return std::nullopt;
}

RequestHead::Fault RequestHead::checkFields() const {
    const bool isOld = version() == HTTPMessage::HTTP_1_0;
    if ((!hasHost_ && !isOld) || (coding_ && (length_ || isOld))) {
        return HTTPResponse::HTTP_BAD_REQUEST;
    }
    if (coding_ && !equalsIgnoringCase(of(*coding_), HTTPMessage::CHUNKED_TRANSFER_ENCODING)) {
        return HTTPResponse::HTTP_NOT_IMPLEMENTED;
    }
    return std::nullopt;
}

}  // namespace lifecycle::http
