#pragma once

#include <string>
#include <vector>

#include "http/exchange/connection.h"
#include "http/exchange/http_session.h"

namespace lifecycle::http {

class Request;
class Response;
struct Service;

/// What becomes of a connection after an exchange.
enum class Disposition {
    keepAlive,
    close,
    linger,     ///< the client may still be sending
    takenOver,  ///< a handler has detached the socket, as a WebSocket does
};

/// One request and its response, on a worker thread: takes the head, calls the handler, flushes.
class Exchange {
public:
    Exchange(Service& service, Connection& connection, HttpSession& session)
        : service_(service), connection_(connection), session_(session) {}

    /// Blocks for as long as the handler and the client take. Never throws. Requires that the whole head
    /// is there.
    Disposition run() noexcept;

    /// Responds to what the socket found to be malformed.
    Disposition reject() noexcept;

private:
    Disposition fail(const char* reason) noexcept;
    Disposition respond(Request& request, Response& response);
    void callHandler(Request& request, Response& response);

    Service& service_;
    Connection& connection_;
    HttpSession& session_;
    std::string error_;
    std::vector<Gate::Guard> guards_;  // kept until the response is flushed
};

/// Sends a 503 and counts it; for lack of memory or threads.
Disposition shed(Service& service, Connection& connection, const char* reason) noexcept;

}  // namespace lifecycle::http
