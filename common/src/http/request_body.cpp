#include "http/request_body.h"

#include <algorithm>

#include "http/http_session.h"

namespace lifecycle::http {
namespace {

constexpr int end = -1;

/// In a line of framing: far more than anybody needs.
constexpr int longestLine = 8 * 1024;
constexpr int mostTrailers = 100;

int hexDigit(int c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

}  // namespace

RequestBody::RequestBody(HttpSession& session, std::optional<std::uint64_t> length)
    : session_(session),
      chunked_(!length),
      state_(chunked_ ? State::size : length == 0 ? State::whole : State::data),
      left_(length.value_or(0)) {}

bool RequestBody::isHere(std::uint64_t most) const {
    const auto unread = static_cast<std::uint64_t>(egptr() - gptr());
    if (isWhole()) {
        return unread <= most;
    }
    return !chunked_ && state_ == State::data && left_ <= most && unread + left_ <= most &&
           left_ <= static_cast<std::uint64_t>(session_.available());
}

void RequestBody::drop(std::uint64_t most) {
    while (most > 0 && sgetc() != traits_type::eof()) {
        const auto count = std::min(most, static_cast<std::uint64_t>(egptr() - gptr()));
        gbump(static_cast<int>(count));
        most -= count;
    }
    if (gptr() == egptr() && chunked_) {
        sgetc();  // the last chunk
    }
}

RequestBody::int_type RequestBody::underflow() {
    try {
        return receive();
    } catch (...) {
        state_ = State::broken;  // The client has reset the connection, or sends nothing.
        throw;
    }
}

RequestBody::int_type RequestBody::receive() {
    while (state_ != State::whole && state_ != State::broken) {
        bool good = true;
        switch (state_) {
            case State::size:
                good = readSize();
                break;
            case State::data: {
                const auto most = static_cast<int>(std::min<std::uint64_t>(left_, buffer_.size()));
                const int count = session_.readBody(buffer_.data(), most);
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
                good = readLineEnd();
                state_ = State::size;
                break;
            default:
                good = readTrailer();
                break;
        }
        if (!good) {
            state_ = State::broken;
        }
    }
    return traits_type::eof();
}

/// `5;name=value CRLF`.
bool RequestBody::readSize() {
    constexpr int mostDigits = 15;  // fits into 64 bits
    std::uint64_t size = 0;
    int digits = 0;
    int c = session_.nextByte();
    for (; hexDigit(c) >= 0; c = session_.nextByte()) {
        size = size * 16 + static_cast<std::uint64_t>(hexDigit(c));
        if (++digits > mostDigits) {
            return false;
        }
    }
    if (digits == 0 || (c != '\r' && c != ';' && c != ' ' && c != '\t')) {
        return false;
    }
    for (int length = 0; c != '\r'; c = session_.nextByte()) {
        if (c == end || c == '\n' || ++length > longestLine) {
            return false;
        }
    }
    left_ = size;
    state_ = size == 0 ? State::trailer : State::data;
    return session_.nextByte() == '\n';
}

/// Fields behind the last chunk, which nobody asks for, up to an empty line.
bool RequestBody::readTrailer() {
    for (int lines = 0; lines <= mostTrailers; ++lines) {
        int length = 0;
        int c = session_.nextByte();
        for (; c != '\r'; c = session_.nextByte()) {
            if (c == end || c == '\n' || ++length > longestLine) {
                return false;
            }
        }
        if (session_.nextByte() != '\n') {
            return false;
        }
        if (length == 0) {
            state_ = State::whole;
            return true;
        }
    }
    return false;
}

bool RequestBody::readLineEnd() {
    return session_.nextByte() == '\r' && session_.nextByte() == '\n';
}

}  // namespace lifecycle::http
