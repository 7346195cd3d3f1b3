#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "http/exchange/connection.h"
#include "http/exchange/http_session.h"

namespace lifecycle::http {

class Request;
class Response;
class ServerCore;

/// What becomes of a connection after an exchange.
enum class ExchangeEnd {
    keepAlive,
    close,
    lingeringClose,  ///< the client may still be sending
    takenOver,       ///< a handler has detached the socket, as a WebSocket does
};

/// One request and its response, on a worker thread: takes the head, calls the handler, flushes.
class Exchange {
public:
    Exchange(ServerCore& core, Connection& connection, HttpSession& session);

    /// Blocks for as long as the handler and the client take. Never throws. Requires that the whole head
    /// is there.
    ExchangeEnd run() noexcept;

    /// Responds to what the socket found to be malformed.
    ExchangeEnd refuseMalformed() noexcept;

private:
    ExchangeEnd shed(const char* reason) noexcept;
    ExchangeEnd answer(Request& request, Response& response);
    void callHandler(Request& request, Response& response);

    ServerCore& core_;
    Connection& connection_;
    HttpSession& session_;
    std::string error_;
    std::vector<Gate::Guard> guards_;  // kept until the answer is flushed
};

}  // namespace lifecycle::http
