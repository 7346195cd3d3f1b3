#pragma once

#include <optional>

#include "http/exchange/exchange.h"
#include "http/exchange/http_session.h"

namespace lifecycle::http {

/// The exchanges of one worker thread, with what they can use again.
class Exchanges {
public:
    explicit Exchanges(Service& service) : service_(service) {}

    /// Serves what has arrived on a connection: one request, and those that the client has sent behind it. Blocks for
    /// as long as handlers and the client take.
    Disposition serve(Connection& connection) noexcept;

    /// This thread is in a handler of that service, or on its way to or from it.
    static bool isHere(const Service& service);

private:
    Disposition serveNext(Connection& connection, bool& more);

    Service& service_;
    std::optional<HttpSession> session_;  // made when it is needed
};

}  // namespace lifecycle::http
