#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerParams.h>

#include "http/exchange/connection.h"
#include "http/loop/connection_loop.h"
#include "http/exchange/exchange.h"
#include "lifecycle/context.h"
#include "lifecycle/gate.h"
#include "lifecycle/http_server.h"
#include "http/loop/worker_pool.h"

namespace lifecycle::http {

class ServerCore;

/// What a worker is handed. It keeps the core: the connection, which may be the last one that a thread
/// left behind drops, holds a place in the core's gate.
struct Work {
    std::shared_ptr<ServerCore> core;
    ConnectionPtr connection;
};

/// What the threads of a server share: the settings, the counters and the register of connections.
/// Held by shared_ptr, so that a handler that is left behind finds it still there.
class ServerCore : public std::enable_shared_from_this<ServerCore> {
public:
    ServerCore(Poco::Net::HTTPRequestHandlerFactory::Ptr factory, HttpServerOptions options);

    const HttpServerOptions options;
    Poco::Net::HTTPRequestHandlerFactory::Ptr factory;
    Poco::Net::HTTPServerParams::Ptr params;

    /// Value of the Keep-Alive field in responses after which the connection stays open; empty for none.
    const std::string keepAliveHint;

    /// Done when requests are cut.
    const CancelableContext cutting;

    /// Answers say `Connection: close`.
    std::atomic<bool> closing = false;

    /// There were connections when that began: their clients will connect anew.
    std::atomic<bool> expectsArrivals = false;

    /// A shutdown waits for the end of the connections, and tells about it.
    std::atomic<bool> draining = false;

    std::atomic<std::uint64_t> requests = 0;  ///< number of the newest request
    std::atomic<std::uint64_t> served = 0;
    std::atomic<std::uint64_t> refused = 0;
    std::atomic<std::uint64_t> cut = 0;
    std::atomic<std::uint64_t> answeredWithClose = 0;  ///< since `closing`
    std::atomic<std::uint64_t> idleClosed = 0;         ///< by the grace period
    std::atomic<Duration> emptyAfter = Duration::zero();

    /// One guard for each connection; closed with the listener.
    Gate gate;
    const CancelableContext listenerClosed;

    std::shared_ptr<detail::WorkerPool<Work>> workers;
    std::unique_ptr<ConnectionLoop> loop;
    std::mutex stopMutex;  ///< one thread at a time ends the others

    std::mutex startMutex;       ///< of start() against a shutdown() on another thread
    bool isShutDown = false;     ///< guarded by startMutex
    std::atomic<bool> started = false;

    /// Freed when a shutdown begins, so that it has memory even if there is none left.
    std::unique_ptr<std::byte[]> reserve;

    /// From now on answers say `Connection: close`.
    void announce();

    /// Accepting has ended: counts what becomes of the connections there are.
    void beginEnd();
    /// It goes on.
    void cancelEnd();

    /// Makes and registers the record of an accepted connection; null if the gate is closed or all have been
    /// cut. Throws std::bad_alloc, and leaves the descriptor where it is.
    ConnectionPtr admit(Listener::Accepted& client);

    /// Answers 503 without reading the request, and counts it as refused. Needs no memory.
    void shed(int descriptor, std::string_view peer, const char* reason) noexcept;
    /// The same; the client may still be sending. False, and nothing is sent, if the connection was cut before.
    [[nodiscard]] bool shed(Connection& connection, const char* reason) noexcept;

    /// Serves a connection on a worker until it is quiet or done. Never throws.
    void serve(ConnectionPtr connection) noexcept;

    /// Closes a connection and takes it out of the register.
    void finish(ConnectionPtr connection);

    /// As finish, for a connection whose socket a handler has taken over (WebSocket).
    void forget(ConnectionPtr connection);

    /// Cuts all connections, for good; returns how many requests that ended.
    std::uint64_t cutAll(const std::string& cause);

    std::vector<ConnectionInfo> connections() const;
    std::uint64_t countInFlight() const noexcept;

    /// This thread is in a handler of this server, or on its way to or from it.
    bool isServingHere() const;

    void emit(std::string_view word, std::initializer_list<EventField> fields) const {
        if (options.events != nullptr) {
            options.events->emit(word, fields);
        }
    }

private:
    ExchangeEnd serveConnection(Connection& connection);
    ExchangeEnd serveRequests(Connection& connection, HttpSession& session);

    mutable std::mutex registerMutex_;  // guards what follows
    std::optional<TimePoint> endBegan_;
    std::uint64_t nextId_ = 1;
    bool allAreCut_ = false;
    std::unordered_map<std::uint64_t, ConnectionPtr> register_;
};

}  // namespace lifecycle::http
