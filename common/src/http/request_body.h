#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <streambuf>

namespace lifecycle::http {

class HttpSession;

/// A request's body, with a length or in chunks, decoded strictly: RFC 9112, 6.2 and 7.1. Poco's decoder
/// takes chunks that it does not understand for the end of the body, and what follows would be read as
/// the next request. This one also knows how much is missing.
///
/// To its reader the stream ends where the body does, or where it breaks; isWhole() tells which.
class RequestBody : public std::streambuf {
public:
    /// Without a length it is in chunks. The session must outlive it.
    RequestBody(HttpSession& session, std::optional<std::uint64_t> length);

    /// All of it has been received.
    bool isWhole() const { return state_ == State::whole; }

    /// Not whole, and never will be: it makes no sense, or the connection has ended before it.
    bool isBroken() const { return state_ == State::broken; }

    /// All of it has been read.
    bool isRead() const { return isWhole() && gptr() == egptr(); }

    /// What has not been read of it is here, need not be waited for, and is no more than `most` bytes.
    bool isHere(std::uint64_t most) const;

    /// Reads so much of it, for nobody.
    void drop(std::uint64_t most);

private:
    enum class State { size, data, dataEnd, trailer, whole, broken };

    int_type underflow() override;
    int_type receive();
    bool readSize();
    bool readTrailer();
    bool readLineEnd();

    HttpSession& session_;
    const bool chunked_;
    State state_;
    std::uint64_t left_ = 0;  // of the chunk, or of the body
    std::array<char, 4096> buffer_{};
};

}  // namespace lifecycle::http
