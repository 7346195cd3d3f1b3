#pragma once

#include <cstddef>
#include <ostream>
#include <string>

#include <Poco/Net/HTTPServerResponseImpl.h>

#include "http/exchange/connection.h"
#include "http/exchange/http_session.h"

namespace lifecycle::http {

class Request;
class ServerCore;

/// Poco's response, which says `Connection: close` if the server is closing at the moment the header
/// is sent: not earlier, when nobody knows that yet.
class Response : public Poco::Net::HTTPServerResponseImpl {
public:
    Response(ServerCore& core, Connection& connection, HttpSession& session)
        : HTTPServerResponseImpl(session), core_(core), connection_(connection), session_(session) {}

    /// The request that is answered.
    void answers(const Request& request) { request_ = &request; }

    // Poco's own, with what has to be known before the header is sent.
    std::ostream& send() override;
    void sendFile(const std::string& path, const std::string& mediaType) override;
    void sendBuffer(const void* buffer, std::size_t length) override;
    void redirect(const std::string& uri, HTTPStatus status) override;

private:
    bool hasBody() const;
    void announceLength() const;
    void beforeHeader();

    ServerCore& core_;
    Connection& connection_;
    HttpSession& session_;
    const Request* request_ = nullptr;
};

}  // namespace lifecycle::http
