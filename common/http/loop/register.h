#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "http/exchange/connection.h"
#include "http/loop/listener.h"
#include "lifecycle/gate.h"
#include "lifecycle/http_server.h"

namespace lifecycle::http {

struct Admitted;

/// All connections of a server by the moment at which their time limit has to be looked at.
using ConnectionsByTime = std::multimap<TimePoint, std::unique_ptr<Admitted>>;

/// A connection that is in the register.
struct Admitted : Connection {
    using Connection::Connection;

    ConnectionsByTime::iterator place;    ///< guarded by the register's mutex
    Duration earlier{};                   ///< its grace ends that much before that of others; guarded likewise
    Admitted* nextQueued = nullptr;       ///< guarded by the mutex of Workers
};

/// Owns the connections of a server from accept to close, and knows when their time is over.
///
/// Time limits cost a request nothing. A connection is filed under a moment that is no later than its limit, whatever
/// it does until then; at that moment its limit is computed from its state, and it is filed anew. Only limits that
/// become earlier than that are set at once: see adjust().
///
/// All functions may be called from every thread. After the constructor only admit() allocates memory.
class Register {
public:
    explicit Register(const HttpServerOptions& options) : options_(options) {}

    /// Makes the record of an accepted connection; null if the gate is closed or all have been cut. Throws
    /// std::bad_alloc, and leaves the descriptor where it is.
    Admitted* admit(Listener::Accepted& client);

    /// By its owner: closes a connection, and drops it.
    void finish(Admitted& connection);

    /// As finish, for a connection whose socket a handler has taken over (WebSocket).
    void forget(Admitted& connection);

    /// Cuts all connections, for good; returns how many requests that ended.
    std::uint64_t cutAll();

    std::vector<ConnectionInfo> connections() const;
    std::uint64_t countInFlight() const noexcept;

    /// One guard for each connection.
    Gate& gate() { return gate_; }

    /// The end of accepting: counts the time until the last connection is gone.
    void beginEnd();
    void cancelEnd();
    Duration emptyAfter() const { return emptyAfter_.load(); }

    /// The grace of connections without a request begins now. More than 64 of them do not end at the same moment: see
    /// HttpServerOptions::keepAliveGrace.
    void beginGrace();
    void endGrace();
    bool inGrace() const { return inGrace_.load(); }

    /// Others wait for the descriptors of connections that linger.
    void hurryLingering() { hurried_ = true; }

    /// By its owner, before it waits again: files a connection whose limit may have become earlier, because it lingers
    /// or there is a grace. True if fireLimits() has to be called earlier than it was told last.
    [[nodiscard]] bool adjust(Admitted& connection);

    /// Ends the connections whose time is over, and returns when to call it next: they become ready and are closed by
    /// whoever gets their event. A request that has arrived in time keeps its connection.
    std::optional<TimePoint> fireLimits();

private:
    TimePoint limitOf(const Admitted& connection) const;
    TimePoint nextLook(const Admitted& connection, TimePoint now) const;
    void file(ConnectionsByTime::node_type node, TimePoint moment);
    void drop(Admitted& connection);

    const HttpServerOptions& options_;
    Gate gate_;
    std::atomic<bool> inGrace_ = false;
    std::atomic<bool> hurried_ = false;
    std::atomic<Duration> emptyAfter_ = Duration::zero();

    mutable std::mutex mutex_;  // guards what follows
    ConnectionsByTime connections_;
    std::uint64_t lastId_ = 0;
    bool allAreCut_ = false;
    TimePoint firesAt_ = TimePoint::max();
    std::optional<TimePoint> graceBegin_;
    std::optional<TimePoint> endBegan_;
};

}  // namespace lifecycle::http
