#pragma once

#include <cstddef>
#include <ostream>
#include <string>

#include <Poco/Net/HTTPServerResponseImpl.h>

#include "http/exchange/connection.h"
#include "http/exchange/http_session.h"

namespace lifecycle::http {

class Request;
struct Service;

/// Poco's response. Whether it is the last one of its connection, and says `Connection: close`, is decided at the moment
/// its header is sent: the server may have announced its shutdown while the handler ran.
class Response : public Poco::Net::HTTPServerResponseImpl {
public:
    Response(Service& service, Connection& connection, HttpSession& session)
        : HTTPServerResponseImpl(session), service_(service), connection_(connection), session_(session) {}

    void respondsTo(const Request& request) { request_ = &request; }

    // Poco's own, with what has to be known before the header is sent.
    std::ostream& send() override;
    void sendFile(const std::string& path, const std::string& mediaType) override;
    void sendBuffer(const void* buffer, std::size_t length) override;
    void redirect(const std::string& uri, HTTPStatus status) override;

    bool sent() const override { return sentBuffer_ || HTTPServerResponseImpl::sent(); }

private:
    bool hasBody() const;
    void announceLength() const;
    void beforeHeader();
    bool isLast(bool leaving) const;
    bool endsWithConnection() const;

    Service& service_;
    Connection& connection_;
    HttpSession& session_;
    const Request* request_ = nullptr;
    bool sentBuffer_ = false;
};

}  // namespace lifecycle::http
