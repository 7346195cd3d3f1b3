#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include <Poco/Net/StreamSocket.h>

#include "http/exchange/connection_socket.h"
#include "lifecycle/gate.h"
#include "lifecycle/http_server.h"

namespace lifecycle::http {

/// The record of an accepted connection, from accept to close: its socket, and what it is doing.
///
/// One thread at a time owns it: the one that received its one-shot event, until it arms the connection again. Other
/// threads may look (info, timing), report that its time limit has passed (expire), and cut it. It holds a guard of the
/// server's gate, so that "all connections are gone" is "the gate is empty".
class Connection {
public:
    /// Takes ownership of `descriptor`. All memory that waiting for requests needs is allocated here, so that only a
    /// new connection can fail for lack of it. Throws std::bad_alloc.
    Connection(std::uint64_t id, FileDescriptor& descriptor, const Poco::Net::SocketAddress& peer,
               Duration ioTimeout, Gate::Guard guard);

    ConnectionSocket& socket() { return socket_; }
    const std::string& peer() const { return peer_; }

    /// The same socket for Poco's classes.
    const Poco::Net::StreamSocket& stream() const { return stream_; }

    ConnectionInfo info() const;
    ConnectionState state() const;

    /// What its time limit depends on.
    struct Timing {
        ConnectionState state;
        TimePoint since;      ///< it is in this state; of a request, since it began
        TimePoint lastInput;  ///< of a lingering one
    };
    Timing timing() const;

    // ---- by its owner --------------------------------------------------------------------------

    /// To be held while the connection is passed to its next owner, whose first call waits for it: that thread then
    /// sees all that this one did, and does not close the socket while this one is still in epoll_ctl(2).
    [[nodiscard]] std::unique_lock<std::mutex> lockForNextOwner() const { return std::unique_lock(mutex_); }

    /// Bytes are there, and all threads are busy.
    void becomeQueued(TimePoint now);

    /// A thread receives the next head. False if the connection was cut.
    [[nodiscard]] bool beginReading(TimePoint now);

    /// What arrived was not even a part of a request: it is idle again, since the same time as before.
    void revertToIdle();

    /// The head of a request has arrived and is being parsed.
    void beginParsing(TimePoint now);

    /// A head has been read: the request counts as accepted from here on. False if the connection
    /// was cut before; then there is no such request.
    [[nodiscard]] bool beginRequest(const std::string& method, const std::string& path, bool hasBody);

    /// The header of the response is about to be sent. Its body may end with the connection alone,
    /// without a length and not in chunks.
    void beginResponse(bool endsWithConnection);

    /// The response is flushed, or cannot be: counts it in `served`. False if the request was cut before. Of a socket
    /// that was taken over there is no next request to wait for.
    [[nodiscard]] bool endRequest(TimePoint now, std::atomic<std::uint64_t>& served, bool takenOver);

    /// It gets a 503. False if it was cut before.
    [[nodiscard]] bool beginShedding();

    /// It has had its last response; the client may still be sending.
    void beginLingering(TimePoint now);
    void noteInput(TimePoint now);

    // ---- by every thread -----------------------------------------------------------------------

    /// The time limit that follows from `seen` has passed. If it is still in that state and nothing has arrived, ends
    /// the receiving side, which makes it ready: its owner closes it. Otherwise returns false. `byGrace`: the limit was
    /// that of the grace period.
    bool expire(const Timing& seen, bool byGrace);
    bool isExpired() const { return expired_.load(std::memory_order_relaxed); }
    /// The grace period ended without another request.
    bool isClosedByGrace() const;

    /// Shuts the connection down under the thread that uses it. Returns how many requests that cut, for the first time:
    /// one that is being worked on, and one that has arrived and waits for its turn, here or in the kernel.
    unsigned cut();
    bool isCut() const;

    /// Ends the connection so that the client cannot take half a response for a whole one.
    void abort();

private:
    unsigned countRequests() noexcept;
    unsigned countWaiting() noexcept;
    void shutDown();
    void startArriving(ConnectionState state, TimePoint now);

    const Gate::Guard guard_;  // first: given back last
    const std::uint64_t id_;
    const std::string peer_;
    ConnectionSocket& socket_;  // owned by stream_
    const Poco::Net::StreamSocket stream_;
    std::atomic<bool> expired_ = false;

    mutable std::mutex mutex_;  // guards what follows
    ConnectionState state_ = ConnectionState::fresh;
    TimePoint since_;
    ConnectionState quietState_ = ConnectionState::fresh;  // before a request began to arrive
    TimePoint quietSince_;
    TimePoint lastInput_;
    bool cut_ = false;
    bool closedByGrace_ = false;
    bool parsing_ = false;  // with `reading`: its whole head has arrived
    bool endsWithConnection_ = false;
    bool hasBody_ = false;  // the request that is being worked on: what arrives may belong to it
    std::string method_;
    std::string path_;
};

/// A socket without a descriptor, for what needs one before there is a connection.
Poco::Net::StreamSocket noConnection();

/// Between two requests, or before the first one.
inline bool isIdle(ConnectionState state) {
    return state == ConnectionState::idle || state == ConnectionState::fresh;
}

}  // namespace lifecycle::http
