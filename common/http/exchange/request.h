#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponseImpl.h>

#include "http/exchange/connection_socket.h"
#include "http/exchange/http_session.h"
#include "http/framing/request_body.h"
#include "lifecycle/context.h"
#include "lifecycle/gate.h"

namespace lifecycle::http {

struct Service;

/// Poco's request, which knows the context of its server, and what to keep until it is answered.
class Request : public Poco::Net::HTTPServerRequestImpl {
public:
    /// From the head that the socket has received, which it takes off there.
    Request(Service& service, ConnectionSocket& socket, Poco::Net::HTTPServerResponseImpl& response,
            HttpSession& session, std::vector<Gate::Guard>& guards);

    const Service& service() const { return service_; }
    bool endedEarly() const { return socket_.endOfStream() || (body_ && body_->bytes.isBroken()); }
    bool hasMalformedBody() const { return body_ && body_->bytes.isMalformed(); }

    /// To be called before the body is read.
    bool hasBody() const { return body_ != nullptr; }

    /// The client may send another request on this connection.
    bool isPersistent() const { return isPersistent_; }

    /// How much of its body has to be skipped before a next request; nothing if there cannot be one.
    std::optional<std::uint64_t> unreadBody() const;

    /// Without a length there is none: RFC 9112, 6.3. Poco would take all that follows for the body.
    std::istream& stream() override;
    void keep(Gate::Guard guard) { guards_.push_back(std::move(guard)); }

private:
    struct Body {
        Body(HttpSession& session, std::optional<std::uint64_t> length) : bytes(session, length) {}

        RequestBody bytes;
        std::istream stream{&bytes};
    };

    const Service& service_;
    HttpSession& session_;
    std::unique_ptr<Body> body_;  // made when it is asked for, if it is empty
    const ConnectionSocket& socket_;
    bool isPersistent_;
    std::vector<Gate::Guard>& guards_;
};

}  // namespace lifecycle::http
