#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerSession.h>
#include <Poco/Version.h>

#include "http/exchange/connection.h"
#include "http/framing/byte_source.h"

namespace lifecycle::http {

/// Poco's session, on one connection after the other: making one for each request would cost more than parsing it.
class HttpSession : public Poco::Net::HTTPServerSession, public ByteSource {
public:
    /// On no connection yet.
    explicit HttpSession(const Poco::Net::HTTPServerParams::Ptr& params);

    void attach(Connection& connection);

    /// Lets go of the socket without closing it. What Poco has read beyond the last request is given back to it. Throws
    /// std::bad_alloc.
    void detach();

    /// A handler has taken the socket over.
    bool isTakenOver() { return socket().impl() != &connection_->socket(); }

    /// Those of the last exchange, of the request and of the response. Poco has them from 1.12 on.
    void clearTrailers() {
#if POCO_VERSION >= 0x010c0000
        requestTrailer().clear();
        responseTrailer().clear();
#endif
    }

    /// The request has been made from the head: what follows is its body.
    void endHead() { connection_->socket().endHead(); }

    // ByteSource
    bool endOfStream() const override { return connection_->socket().endOfStream(); }
    int readBody(char* buffer, int length) override { return read(buffer, length); }
    int nextByte() override { return get(); }
    void addTrailer(const std::string& name, const std::string& value) override;

    /// A response is about to be sent.
    void beginResponse() {
        begin_ = connection_->socket().sent();
        announced_.reset();
    }

    /// It says that header and body together are of that length.
    void announce(std::uint64_t length) { announced_ = length; }

    /// It is of another length: its client would take the next one for its end, or its end for the next one.
    bool lengthMismatch() const { return announced_ && connection_->socket().sent() - begin_ != *announced_; }

private:
    HttpSession(const Poco::Net::StreamSocket& none, const Poco::Net::HTTPServerParams::Ptr& params)
        : HTTPServerSession(none, params), none_(none) {}

    Connection* connection_ = nullptr;
    const Poco::Net::StreamSocket none_;  // what it is attached to meanwhile
    std::uint64_t begin_ = 0;  // of the current response, in bytes sent
    std::optional<std::uint64_t> announced_;
};

}  // namespace lifecycle::http
