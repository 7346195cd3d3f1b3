#pragma once

#include "deadline.h"

#include <cstddef>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>

namespace lifecycle::test {

/// How waiting for an answer ended.
enum class Outcome {
    complete,  ///< the whole response is here
    closed,    ///< the server closed before any byte of it
    truncated, ///< the server closed in the middle of it
    reset,     ///< the connection was reset (RST), before or within it
    malformed, ///< what came is no HTTP
    timeout,   ///< the deadline of the client passed
    refused,   ///< there was no connection to ask on (see `get`)
};

std::ostream& operator<<(std::ostream& stream, Outcome outcome);

struct CaseInsensitiveLess {
    bool operator()(const std::string& left, const std::string& right) const;
};

/// Memory for one body. What exceeds it is counted but not kept: a server may send without end.
inline constexpr std::size_t maxKeptBody = 16 * 1024 * 1024;

/// A response of HTTP/1.x, or as much of it as came.
struct Response {
    Outcome outcome = Outcome::timeout;
    int status = 0;
    std::string version;
    /// A field that came twice has its values joined by ", ".
    std::map<std::string, std::string, CaseInsensitiveLess> headers;
    /// At most its first `maxKeptBody` bytes, however long it is.
    std::string body;
    std::size_t bodySize = 0; ///< of all that came
    /// Of the final response; unset (the epoch) as long as nothing came.
    Clock::time_point firstByteAt{};
    Clock::time_point finishedAt{};

    /// Empty when there is no such field. The name's case does not matter.
    std::string header(const std::string& name) const;
    /// May the connection carry another request after this one (RFC 9112, 9.3)?
    bool keepsAlive() const;
};

/// Reads one response from the bytes of a connection, in whatever pieces they come: a sized, a
/// chunked or an until-close body (RFC 9112, 6). Interim responses (1xx) are passed over.
class ResponseParser {
public:
    /// `hasBody` is false for the answer to HEAD. Of the body at most `maxKept` bytes are kept.
    explicit ResponseParser(bool hasBody = true, std::size_t maxKept = maxKeptBody)
        : has_body_(hasBody), max_kept_(maxKept) {}

    /// Takes the bytes of this response off the front of `bytes`; what belongs to the next one
    /// stays. Returns whether there is nothing to wait for any more: the response is complete, or
    /// malformed.
    bool feed(std::string& bytes, Clock::time_point now);

    /// The connection has ended; what this means for the response is in its outcome.
    void end(bool wasReset, Clock::time_point now);

    const Response& response() const { return response_; }

private:
    enum class State { head, sizedBody, chunkSize, chunkData, trailers, untilClose, done };

    void takeSteps(std::string& bytes, Clock::time_point now);
    bool step(std::string& bytes);
    bool takeHead(std::string& bytes);
    void chooseBody();
    bool takeBody(std::string& bytes, State next);
    void keep(std::string_view bytes);
    bool takeChunkSize(std::string& bytes);
    bool takeTrailerLine(std::string& bytes);

    const bool has_body_;
    const std::size_t max_kept_;
    State state_ = State::head;
    std::size_t expected_ = 0; ///< what is left of the sized body, or of the chunk and its CRLF
    bool any_byte_ = false;
    Response response_;
};

} // namespace lifecycle::test
