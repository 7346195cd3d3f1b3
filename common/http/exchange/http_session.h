#pragma once

#include <cstdint>
#include <ios>
#include <optional>

#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerSession.h>
#include <Poco/Version.h>

#include "http/exchange/connection.h"

namespace lifecycle::http {

/// What became of waiting for a request.
enum class Arrival {
    request,    ///< its whole head has arrived
    quiet,      ///< nothing came, or a part of one
    malformed,  ///< it is not a request, or its head is too long
    end,        ///< the client has closed the connection, or it is broken
    noMemory,
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

    /// Those of the last exchange, of the request and of the response. Poco has them from 1.12 on.
    void clearTrailers() {
#if POCO_VERSION >= 0x010c0000
        requestTrailer().clear();
        responseTrailer().clear();
#endif
    }

    /// The request has been made from the head: what follows is its body.
    void endHead() { socket_.endHead(); }

    /// The client has closed its side, and that has been read.
    bool endOfStream() const { return socket_.endOfStream(); }

    /// Reads some bytes of the body; 0 at the end of the connection.
    int readBody(char* buffer, int length) { return read(buffer, length); }

    /// Reads one; -1 at the end of the connection.
    int nextByte() { return get(); }

    /// An answer is about to be sent.
    void beginAnswer() {
        begin_ = socket_.sent();
        announced_.reset();
    }

    /// It says that header and body together are of that length.
    void announce(std::uint64_t length) { announced_ = length; }

    /// It is of another length: its client would take the next one for its end, or its end for the next one.
    bool brokeItsWord() const { return announced_ && socket_.sent() - begin_ != *announced_; }

private:
    ConnectionSocket& socket_;
    std::uint64_t begin_ = 0;  // of the current response, in bytes sent
    std::optional<std::uint64_t> announced_;
};

}  // namespace lifecycle::http
