#pragma once

#include <cstdint>
#include <ios>
#include <optional>

#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerSession.h>

#include "http/connection.h"

namespace lifecycle::http {

/// What became of waiting for a request.
enum class Arrival {
    request,  ///< its whole header is there
    quiet,    ///< nothing came, or a part of one
    tooLong,
    end,      ///< the client has closed the connection, or it is broken
};

/// Poco's session over a ConnectionSocket, able to wait a little for the next request.
class HttpSession : public Poco::Net::HTTPServerSession {
public:
    HttpSession(Connection& connection, Poco::Net::HTTPServerParams::Ptr params)
        : HTTPServerSession(connection.stream(), std::move(params)), socket_(connection.socket()) {}

    /// The client did not wait for its last answer: more of its bytes have been read already.
    bool hasBytes() const { return buffered() > 0 || socket_.holdsBytes(); }

    /// Blocks for ConnectionSocket::attention at most, with Patience::none not at all.
    Arrival awaitRequest(ConnectionSocket::Patience patience);

    /// The header has been parsed: what follows is its body. False if Poco took the end of the header
    /// to be elsewhere.
    [[nodiscard]] bool endHead() { return buffered() == 0 && socket_.endHead(); }

    /// Bytes that can be read without waiting.
    std::streamsize available() const { return buffered() + socket_.bytesThere(); }

    /// Reads some bytes of the body; 0 at the end of the connection.
    int readBody(char* buffer, int length) { return read(buffer, length); }

    /// Reads one; -1 at the end of the connection.
    int nextByte() { return get(); }

    /// An answer is about to be sent.
    void beginAnswer() {
        begin_ = sent_;
        announced_.reset();
    }

    /// It says that header and body together are of that length.
    void announce(std::uint64_t length) { announced_ = length; }

    /// It is of another length: its client would take the next one for its end, or its end for the next one.
    bool brokeItsWord() const { return announced_ && sent_ - begin_ != *announced_; }

protected:
    int write(const char* buffer, std::streamsize length) override;

private:
    ConnectionSocket& socket_;
    std::uint64_t sent_ = 0;
    std::uint64_t begin_ = 0;  // of the current answer, counted like sent_
    std::optional<std::uint64_t> announced_;
};

}  // namespace lifecycle::http
