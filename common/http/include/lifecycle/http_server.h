#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/SocketAddress.h>

#include "lifecycle/context.h"
#include "lifecycle/duration.h"
#include "lifecycle/event_log.h"
#include "lifecycle/gate.h"
#include "lifecycle/listening_socket.h"

namespace lifecycle {

namespace http {
class ConnectionLoop;
}

/// What a connection is doing.
enum class ConnectionState {
    fresh,     ///< accepted, and not a byte of a request has been read
    queued,    ///< bytes of a request are there, and all threads are busy
    reading,   ///< a thread reads the header of a request
    handling,  ///< a handler runs and has not begun its response
    writing,   ///< the response is being sent
    idle,      ///< between two requests of a keep-alive connection
    closing,   ///< lingering: the response has been sent; what the client still sends is dropped, until it closes
};

/// "fresh", "queued" and so on.
std::string_view toString(ConnectionState state);

/// A look at one connection.
struct ConnectionInfo {
    std::uint64_t id = 0;
    ConnectionState state = ConnectionState::fresh;
    std::string method;  ///< of the request in flight, else empty
    std::string path;    ///< with its query
    std::string peer;    ///< address and port of the client
    Duration age{};      ///< of the request in flight, else time in this state

    /// A request that a shutdown waits for.
    bool inFlight() const {
        return state == ConnectionState::queued || state == ConnectionState::reading ||
               state == ConnectionState::handling || state == ConnectionState::writing;
    }
};

/// Settings of an HttpServer.
struct HttpServerOptions {
    /// Port 0 takes a free one, see HttpServer::address.
    Poco::Net::SocketAddress address{"127.0.0.1", 0};
    /// Sockets to serve on instead of `address`, if there are any. start() duplicates them: closing one
    /// here or there leaves the other. A shutdown closes them for good, so that everybody is refused, unless
    /// stopAccepting has been called: for sockets that a service manager or another process goes on with.
    std::vector<const ListeningSocket*> sockets{};
    /// False: start() prepares everything that serving needs, but accepts no connections until resumeAccepting().
    /// For a process that takes over clients from another one, at a moment on which both agree.
    bool acceptFromStart = true;
    /// How many requests are worked on at once, at most, each on a thread of its own. Idle connections need none. One
    /// thread is started by start(); if the system has no more threads, those that run serve all clients.
    unsigned threads = 256;
    /// The most requests waiting while all threads are blocked; the next one is answered 503.
    unsigned queue = 1024;
    /// In a shutdown: how long a connection without a request stays open, so that its client can send one. More than
    /// 64 of them are not closed all at once but spread over the second half of this time, the longest idle first:
    /// otherwise their clients would all reconnect to the remaining servers at the same moment.
    Duration keepAliveGrace = std::chrono::milliseconds(100);
    /// While serving: how long a connection may stay idle between two requests; zero for one request per connection.
    /// Must be longer than the idle timeout of every proxy and load balancer in front of it (60 s is common): otherwise
    /// they reuse connections that the server is just closing. Announced in responses (`Keep-Alive: timeout=75`).
    Duration keepAliveTimeout = std::chrono::seconds(75);
    /// How long a header may take from its first byte to its last, a client may pause within a body, and a write may
    /// make no progress. Then the connection is aborted.
    Duration ioTimeout = std::chrono::seconds(60);
    /// Where the server logs its events; nullptr for nowhere. Must outlive the server.
    EventLog* events = nullptr;
};

/// Numbers since the server's start. Every accepted request is served, refused or cut. A malformed request, which gets
/// a 400, is logged (request.malformed) and not counted.
struct ShutdownResult {
    std::uint64_t served = 0;   ///< a handler has responded
    std::uint64_t refused = 0;  ///< shed: the server responded 503, because its queue was full or it had no memory left
    /// Requests still running, or waiting for their turn, when the context of the shutdown was done. Connections
    /// that had not been accepted by then count as well.
    std::uint64_t cut = 0;
    Duration took{};            ///< of the shutdown

    std::uint64_t answeredWithClose = 0;  ///< responses since the announcement, which say `Connection: close`
    std::uint64_t idleClosed = 0;         ///< connections that were closed when their grace was over
    Duration emptyAfter{};  ///< from the end of accepting until the last connection was gone; zero if one is there

    bool clean() const { return cut == 0; }
};

/// An HTTP/1.1 server for Poco's request handlers that shuts down gracefully: shutdown() is what Server.Shutdown is in
/// Go's net/http, but queued connections are not lost, and nothing is polled.
///
/// Promises of a shutdown:
///  - Once it is announced, every response says `Connection: close`.
///  - A connection in the accept queue is accepted and gets its response; it is not reset.
///  - Requests in flight are finished, including those that wait for a thread.
///  - A connection without a request has keepAliveGrace to send one, which is served.
///  - When the context is done, what is left is cut: clients see their connections close, contexts
///    of handlers are canceled, and shutdown() returns, even if a handler does not.
///
/// If a handler throws in mid-response, or sends a body that does not match its Content-Length, the server aborts the
/// connection: the client must not mistake a truncated response for a complete one.
///
/// Requests are parsed strictly, by RFC 9112: an ambiguous request, or a body with malformed chunks, gets a 400, and
/// its connection is closed. If a handler responds before it has read the request's body, the connection is kept only
/// if at most 64 KiB of a body of known length are missing; otherwise the response says `Connection: close`.
///
/// Coming from Poco::Net::HTTPServer: handlers and factories work as they are, but
///  - settings are HttpServerOptions, not HTTPServerParams: request.serverParams() returns a default object, there is
///    no maxKeepAliveRequests, and no `Server:` field unless a handler sets it;
///  - an exception from a handler is logged in `events`, if there is one: Poco::ErrorHandler is not called. If nothing
///    was sent, the client gets a 500; otherwise the connection is aborted;
///  - an HTTP/1.0 request with `Transfer-Encoding` gets a 400, RFC 9112, 6.1. Poco's HTTPClientSession sends just
///    that by default: make it use HTTP/1.1 (HTTPRequest::HTTP_1_1), or set a Content-Length;
///  - header fields are passed on as received; encoded words such as `=?utf-8?q?a?=` are not decoded.
///
/// Threads: one accepts connections and enforces time limits. Requests run on worker threads, which are started as
/// needed; connections without a request need none. As long as requests are short, only about as many workers run as
/// there are processors; each request that blocks its worker for about a millisecond makes room for another worker.
/// Handlers and the factory are called on the workers, many at once, as with Poco's own server. A plain
/// Poco::Net::HTTPServer can be used in the same process.
///
///     HttpServer server(new MyHandlerFactory, {.address = {"127.0.0.1", 8080}});
///     server.start();
///     signals.context().wait();
///     const auto result = server.shutdown(withTimeout(Context::background(), 10s).context);
class HttpServer {
public:
    HttpServer(Poco::Net::HTTPRequestHandlerFactory::Ptr factory, HttpServerOptions options);

    /// Cuts what is left if shutdown() has not been called. Does not wait for handlers that ignore
    /// their context; what they use must live on, or the process be left by _exit.
    ~HttpServer();

    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Listens and serves. Throws StartError, also if there are too few descriptors to serve a client,
    /// std::system_error if threads cannot be started, or std::logic_error if called twice or after shutdown().
    /// When it returns, everything that a shutdown needs (threads, descriptors, some memory) has been allocated.
    void start();

    /// The address listened on, with the real port. Throws std::logic_error before start().
    Poco::Net::SocketAddress address() const;

    /// From now on, or from start() on, every response says `Connection: close`; nothing else changes. For the time
    /// in which /readyz already responds 503 and load balancers have yet to notice (lame duck).
    void announceShutdown();

    /// A context that is done once the shutdown is announced, for code outside of handlers. Handlers use the function
    /// of the same name.
    Context shutdownContext() const;

    /// The first step of a shutdown on its own, for programs with steps in between: announces it,
    /// refuses new connections, accepts the queued ones and closes the listener. Blocks for a few milliseconds;
    /// if clients are in the middle of connecting, or there is no descriptor for them, until 1.5 s after the last
    /// one was accepted, at most. Throws std::logic_error before start().
    void closeListener();

    /// Hands the clients over: accepts no more connections, but keeps the listening sockets open, whose accept queues
    /// another process serves that holds them as well. Does nothing to the sockets that the other process would
    /// notice. Connections end as in a shutdown, without a deadline: each may send one more request within
    /// keepAliveGrace, and the response says `Connection: close`. Blocks until the accepting thread has finished what
    /// it is doing for other clients; when this returns, no more connections are accepted. Throws std::logic_error
    /// before start().
    ///
    /// The sockets stay non-blocking: O_NONBLOCK belongs to the open file, not to a process, and the other process
    /// may rely on it. A program that wants to block in accept(2) on an inherited socket must clear the flag with
    /// fcntl(2); systemd does that for its services at every start (NonBlocking=).
    void stopAccepting();

    /// Takes the clients back: accepts connections and keeps them alive as before. To be called after
    /// stopAccepting, or after start() with acceptFromStart = false, and not after closeListener or shutdown.
    /// Throws std::logic_error before start().
    void resumeAccepting();

    /// Shuts the server down as promised above. After stopAccepting the queued connections belong to the other
    /// process, so the listening sockets are closed as they are. Blocks until everything is finished or the context is
    /// done. A second call, concurrent or later, waits for the same shutdown, each under its own context: the first
    /// context that is done cuts. Unless a request was cut, the server's threads have ended when it returns.
    ///
    /// Before start() it returns at once, and start() throws from then on. Throws std::logic_error if a handler of
    /// this server calls it, since it would wait for that handler's own request: have the handler wake another thread.
    ShutdownResult shutdown(const Context& context);

    /// The connections there are, the one with the oldest request first.
    std::vector<ConnectionInfo> connections() const;

    /// Numbers so far; `took` is zero.
    ShutdownResult counters() const;

private:
    struct Core;

    http::ConnectionLoop& startedLoop(const char* function) const;

    std::shared_ptr<Core> core_;  // shared with handlers that are left behind
};

/// The context of a request: it is done when the server cuts it. A handler that may run long waits on it
/// instead of sleeping. For a request of another server it is the background.
Context requestContext(const Poco::Net::HTTPServerRequest& request);

/// A context that is done once the shutdown of the request's server is announced, at the latest when the request is cut.
/// A handler whose response could go on forever (an event stream, a long poll) waits on it, and then ends the response
/// as its clients expect. It is given as much time for that as every other request. Without it, one such client holds
/// every shutdown to its deadline, and is cut.
///
/// After resumeAccepting() callers get a new context; one that is done stays done. Callbacks run on the thread that
/// announces. For a request of another server it is the background.
Context shutdownContext(const Poco::Net::HTTPServerRequest& request);

/// The client ended the connection before the end of what was read of the request's body, or its chunks
/// are malformed. The stream shows either as the end of the body, so half an upload looks like a complete one.
/// To be called once the body has been read, on the handler's thread. The response to malformed chunks becomes
/// a 400 unless it is an error already. For a request of another server: false.
bool endedEarly(const Poco::Net::HTTPServerRequest& request);

/// Holds a guard of a gate until the response to `request` has been flushed to the socket. A guard
/// that lives in the handler is gone too early: Poco flushes after the handler has returned. For a
/// request of another server, which offers no such moment, the guard is given back, and the handler
/// should at least keep it itself. To be called by the handler, on its thread.
[[nodiscard]] std::optional<Gate::Guard> keepUntilFlushed(Poco::Net::HTTPServerRequest& request,
                                                          Gate::Guard guard);

}  // namespace lifecycle
