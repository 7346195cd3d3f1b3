#include "http/framing/request_body.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string_view>
#include <system_error>
#include <utility>

#include "http/framing/byte_source.h"
#include "http/framing/grammar.h"

namespace lifecycle::http {
namespace {

constexpr int end = -1;

/// Of a line between chunks: far more than any client needs.
constexpr std::size_t maxLine = 8 * 1024;
constexpr int maxTrailers = 100;

}  // namespace

RequestBody::RequestBody(ByteSource& source, std::optional<std::uint64_t> length)
    : source_(source),
      chunked_(!length),
      state_(chunked_ ? State::size : length == 0 ? State::whole : State::data),
      left_(length.value_or(0)) {}

std::optional<std::uint64_t> RequestBody::missing() const {
    return isWhole()                             ? std::optional<std::uint64_t>(0)
           : !chunked_ && state_ == State::data ? std::optional(left_)
                                                : std::nullopt;
}

RequestBody::int_type RequestBody::underflow() {
    try {
        return receive();
    } catch (...) {
        state_ = State::cutOff;  // The client has reset the connection, or sends nothing.
        throw;
    }
}

RequestBody::int_type RequestBody::receive() {
    while (!isWhole() && !isBroken()) {
        bool good = true;
        switch (state_) {
            case State::size:
                good = readSize();
                break;
            case State::data: {
                const auto most = static_cast<int>(std::min<std::uint64_t>(left_, buffer_.size()));
                const int count = source_.readBody(buffer_.data(), most);
                if (count > 0) {
                    left_ -= static_cast<std::uint64_t>(count);
                    state_ = left_ > 0 ? State::data : chunked_ ? State::dataEnd : State::whole;
                    setg(buffer_.data(), buffer_.data(), buffer_.data() + count);
                    return traits_type::to_int_type(buffer_[0]);
                }
                good = false;
                break;
            }
            case State::dataEnd:
                good = readLine() == "";
                state_ = State::size;
                break;
            default:
                good = readTrailer();
                break;
        }
        if (!good) {
            state_ = source_.endOfStream() ? State::cutOff : State::malformed;
        }
    }
    return traits_type::eof();
}

/// `5;name=value CRLF`.
bool RequestBody::readSize() {
    constexpr std::ptrdiff_t maxDigits = 15;  // fits into 64 bits
    const std::optional<std::string> line = readLine();
    if (!line) {
        return false;
    }
    const char* const begin = line->data();
    const auto [extension, error] = std::from_chars(begin, begin + line->size(), left_, 16);
    state_ = left_ == 0 ? State::trailer : State::data;
    return error == std::errc() && extension - begin <= maxDigits &&
           isChunkExtension(std::string_view(*line).substr(static_cast<std::size_t>(extension - begin)));
}

/// Fields after the last chunk, up to an empty line.
bool RequestBody::readTrailer() {
    for (int lines = 0; lines <= maxTrailers; ++lines) {
        const std::optional<std::string> line = readLine();
        if (line == "") {
            state_ = State::whole;
            return true;
        }
        const std::size_t colon = line ? line->find(':') : std::string::npos;
        if (colon == std::string::npos) {
            return false;
        }
        const std::string name = line->substr(0, colon);
        const std::string value(trimmed(std::string_view(*line).substr(colon + 1)));
        if (!isToken(name) || !isFieldValue(value)) {
            return false;
        }
        source_.addTrailer(name, value);
    }
    return false;
}

/// Without its CRLF; nothing if it ends in another way, or is too long.
std::optional<std::string> RequestBody::readLine() {
    std::string line;
    for (int c = source_.nextByte(); c != '\r'; c = source_.nextByte()) {
        if (c == end || c == '\n' || line.size() == maxLine) {
            return std::nullopt;
        }
        line += static_cast<char>(c);
    }
    return source_.nextByte() == '\n' ? std::optional(std::move(line)) : std::nullopt;
}

}  // namespace lifecycle::http
