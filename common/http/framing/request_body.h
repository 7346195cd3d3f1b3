#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <streambuf>
#include <string>

namespace lifecycle::http {

class ByteSource;

/// A request's body, with a length or in chunks, decoded strictly: RFC 9112, 6.2 and 7.1. Poco's decoder
/// takes chunks that it does not understand for the end of the body, and what follows would be read as
/// the next request. This one also knows how much is missing.
///
/// To its reader the stream ends where the body does, or where it breaks; isWhole() tells which.
class RequestBody : public std::streambuf {
public:
    /// Without a length it is in chunks. The source must outlive it.
    RequestBody(ByteSource& source, std::optional<std::uint64_t> length);

    /// All of it has been received.
    bool isWhole() const { return state_ == State::whole; }

    /// Its chunks are malformed. RFC 9112, 7.1.
    bool isMalformed() const { return state_ == State::malformed; }

    /// Incomplete for good: it is malformed, the connection ended before it did, or the client paused for too long.
    bool isBroken() const { return isMalformed() || state_ == State::cutOff; }

    /// How many of its bytes have not been received; nothing if that cannot be known.
    std::optional<std::uint64_t> missing() const;

private:
    enum class State { size, data, dataEnd, trailer, whole, malformed, cutOff };

    int_type underflow() override;
    int_type receive();
    bool readSize();
    bool readTrailer();
    std::optional<std::string> readLine();

    ByteSource& source_;
    const bool chunked_;
    State state_;
    std::uint64_t left_ = 0;  // of the chunk, or of the body
    std::array<char, 4096> buffer_{};
};

}  // namespace lifecycle::http
