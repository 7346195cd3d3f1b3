#include "http_response.h"

#include <strings.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <optional>
#include <ostream>

namespace lifecycle::test {

namespace {

/// Thrown and caught in this file alone.
struct NoHttp {};

/// Where a line or a head ends; npos while its end has not come. No sane server sends a megabyte without one.
std::size_t findEnd(const std::string& bytes, const char* end) {
    const auto found = bytes.find(end);
    if (found == std::string::npos && bytes.size() > 1024 * 1024) {
        throw NoHttp();
    }
    return found;
}

/// Takes one line, without its CRLF, off the front; nothing while its end has not come.
std::optional<std::string> takeLine(std::string& bytes) {
    const auto end = findEnd(bytes, "\r\n");
    if (end == std::string::npos) {
        return std::nullopt;
    }
    std::string line = bytes.substr(0, end);
    bytes.erase(0, end + 2);
    return line;
}

std::size_t parseSize(std::string_view text, int base) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end == text.data()) {
        throw NoHttp();
    }
    return value;
}

bool contains(std::string text, std::string_view token) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text.find(token) != std::string::npos;
}

} // namespace

std::ostream& operator<<(std::ostream& stream, Outcome outcome) {
    switch (outcome) {
    case Outcome::complete: return stream << "complete";
    case Outcome::closed: return stream << "closed before any byte";
    case Outcome::truncated: return stream << "truncated";
    case Outcome::reset: return stream << "reset";
    case Outcome::malformed: return stream << "malformed";
    case Outcome::timeout: return stream << "timeout";
    case Outcome::refused: return stream << "refused";
    }
    return stream;
}

bool CaseInsensitiveLess::operator()(const std::string& left, const std::string& right) const {
    return ::strcasecmp(left.c_str(), right.c_str()) < 0;
}

std::string Response::header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
}

bool Response::keepsAlive() const {
    const std::string connection = header("Connection");
    if (version == "HTTP/1.0") {
        return contains(connection, "keep-alive");
    }
    return !contains(connection, "close");
}

bool ResponseParser::feed(std::string& bytes, Clock::time_point now) {
    try {
        takeSteps(bytes, now);
    } catch (const NoHttp&) {
        state_ = State::done;
        response_.outcome = Outcome::malformed;
        response_.finishedAt = now;
        return true;
    }
    if (state_ != State::done) {
        return false;
    }
    response_.outcome = Outcome::complete;
    response_.finishedAt = now;
    return true;
}

void ResponseParser::takeSteps(std::string& bytes, Clock::time_point now) {
    bool more = true;
    while (more && state_ != State::done) {
        if (!any_byte_ && !bytes.empty()) { // again behind an interim response
            any_byte_ = true;
            response_.firstByteAt = now;
        }
        more = step(bytes);
    }
}

void ResponseParser::end(bool wasReset, Clock::time_point now) {
    response_.finishedAt = now;
    if (wasReset) {
        response_.outcome = Outcome::reset;
    } else if (state_ == State::untilClose) {
        state_ = State::done;
        response_.outcome = Outcome::complete;
    } else {
        response_.outcome = any_byte_ ? Outcome::truncated : Outcome::closed;
    }
}

/// Returns whether another step may follow from the bytes at hand.
bool ResponseParser::step(std::string& bytes) {
    switch (state_) {
    case State::head: return takeHead(bytes);
    case State::sizedBody: return takeBody(bytes, State::done);
    case State::chunkSize: return takeChunkSize(bytes);
    case State::chunkData: return takeBody(bytes, State::chunkSize);
    case State::trailers: return takeTrailerLine(bytes);
    case State::untilClose:
        keep(bytes);
        bytes.clear();
        return false;
    case State::done: return false;
    }
    return false;
}

bool ResponseParser::takeHead(std::string& bytes) {
    const auto end = findEnd(bytes, "\r\n\r\n");
    if (end == std::string::npos) {
        return false;
    }
    std::string head = bytes.substr(0, end + 2);
    bytes.erase(0, end + 4);

    const std::string statusLine = *takeLine(head);
    if (!statusLine.starts_with("HTTP/1.") || statusLine.size() < 12) {
        throw NoHttp();
    }
    response_.version = statusLine.substr(0, 8);
    response_.status = static_cast<int>(parseSize(std::string_view(statusLine).substr(9), 10));
    response_.headers.clear();
    while (const auto line = takeLine(head)) {
        const auto colon = line->find(':');
        if (colon == std::string::npos) {
            throw NoHttp();
        }
        const auto valueBegin = line->find_first_not_of(" \t", colon + 1);
        std::string& value = response_.headers[line->substr(0, colon)];
        value += value.empty() ? "" : ", ";
        value += valueBegin == std::string::npos ? "" : line->substr(valueBegin);
    }
    chooseBody();
    return true;
}

void ResponseParser::chooseBody() {
    const bool interim = response_.status >= 100 && response_.status < 200;
    const bool neverHasOne = response_.status == 204 || response_.status == 304;
    if (interim) {
        state_ = State::head;
        any_byte_ = false;
    } else if (!has_body_ || neverHasOne) {
        state_ = State::done;
    } else if (contains(response_.header("Transfer-Encoding"), "chunked")) {
        state_ = State::chunkSize;
    } else if (const auto length = response_.header("Content-Length"); !length.empty()) {
        expected_ = parseSize(length, 10);
        state_ = expected_ == 0 ? State::done : State::sizedBody;
    } else {
        state_ = State::untilClose;
    }
}

bool ResponseParser::takeBody(std::string& bytes, State next) {
    const std::size_t lineEnd = next == State::chunkSize ? 2 : 0; // the chunk's own CRLF
    keep(std::string_view(bytes).substr(0, expected_ > lineEnd ? expected_ - lineEnd : 0));
    const auto count = std::min(expected_, bytes.size());
    bytes.erase(0, count);
    expected_ -= count;
    if (expected_ > 0) {
        return false;
    }
    state_ = next;
    return true;
}

void ResponseParser::keep(std::string_view bytes) {
    response_.bodySize += bytes.size();
    response_.body.append(bytes.substr(0, max_kept_ - std::min(max_kept_, response_.body.size())));
}

bool ResponseParser::takeChunkSize(std::string& bytes) {
    const auto line = takeLine(bytes);
    if (!line) {
        return false;
    }
    const auto size = parseSize(*line, 16);
    if (size > std::numeric_limits<std::size_t>::max() - 2) {
        throw NoHttp();
    }
    expected_ = size + 2;
    state_ = size == 0 ? State::trailers : State::chunkData;
    return true;
}

bool ResponseParser::takeTrailerLine(std::string& bytes) {
    const auto line = takeLine(bytes);
    if (!line) {
        return false;
    }
    if (line->empty()) {
        state_ = State::done;
    }
    return true;
}

} // namespace lifecycle::test
