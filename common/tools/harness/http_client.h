#pragma once

#include "deadline.h"
#include "http_response.h"

#include "lifecycle/file_descriptor.h"

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace lifecycle::test {

/// The text of a request: `httpRequest("POST", "/hello", {{"Connection", "close"}}, "body")`.
/// Adds Host, and Content-Length when there is a body.
std::string
httpRequest(std::string_view method, std::string_view target,
            std::initializer_list<std::pair<std::string_view, std::string_view>> headers = {},
            std::string_view body = {});

/// What `Connection::readBytes` got.
struct ReadResult {
    std::string bytes;
    /// complete: as many as asked for. closed or truncated: fewer, then end of file.
    Outcome outcome = Outcome::timeout;
    Clock::time_point finishedAt{};
};

struct ConnectOptions {
    /// SO_RCVBUF in bytes, set before connecting so that it limits the window: with a small one, a
    /// client that does not read soon blocks the server's writes.
    std::optional<int> receiveBuffer{};
};

/// A TCP connection to a server on 127.0.0.1 and the HTTP client on it, written on sockets alone:
/// it shares no code with the server under test, and can do what a good client never would (half
/// a request, one byte a second, a reset).
///
/// What the network answers is a result, never an exception. Every wait has a deadline. One thread
/// at a time.
///
///     auto connection = Connection::to(port);
///     REQUIRE_FALSE(connection.error());
///     connection.send(httpRequest("GET", "/hello"));
///     CHECK(connection.readResponse(2s).status == 200);
class Connection {
public:
    /// Connects. On failure `error()` says why (std::errc::connection_refused).
    static Connection to(int port, Deadline deadline = std::chrono::seconds(5),
                         const ConnectOptions& options = {});

    /// Why there is no connection, or why `send` failed last. Unset while all is well.
    std::error_code error() const { return error_; }

    /// Sends all of `bytes`. Returns what went wrong: timed_out, broken_pipe, connection_reset.
    std::error_code send(std::string_view bytes, Deadline deadline = std::chrono::seconds(10));

    /// Reads the next response. Bytes behind it stay for the next call, so that several requests
    /// may be sent at once. After `timeout` or an error the connection is of no further use for
    /// responses. `hasBody` is false for the answer to HEAD. Keeps so much of the body.
    Response readResponse(Deadline deadline, bool hasBody = true, std::size_t maxKept = maxKeptBody);

    /// Reads `count` bytes as they are. `readBytes(1, …)` is how to wait for the server's close.
    ReadResult readBytes(std::size_t count, Deadline deadline);

    /// Has the server closed or reset, as far as is known here? Does not block, takes no bytes.
    /// A client asks this before it reuses a connection.
    bool closedByServer() const;

    /// What has arrived of the next response, judged by its first 64 KiB. Does not block, takes no bytes.
    Response peek() const;
    /// Whether all of it has arrived.
    bool answerIsHere() const { return peek().outcome == Outcome::complete; }

    /// Ends the sending direction (FIN); answers can still be read.
    void halfClose();
    /// Closes; whoever still writes to this connection gets a reset.
    void close();
    /// Closes with a reset (RST) at once, as a client that crashed does.
    void reset();

    /// The client's own port: the server shows it as the peer. 0 without a connection.
    int localPort() const;

private:
    enum class Fill { bytes, end, reset, timeout };

    Fill fill(Deadline deadline);

    FileDescriptor socket_;
    std::error_code error_;
    std::string buffer_; ///< received, not yet taken
};

/// One request on a connection of its own, which the request asks to close.
/// The outcome is `refused` if there was no connection.
Response get(int port, std::string_view target, Deadline deadline = std::chrono::seconds(10));

} // namespace lifecycle::test
