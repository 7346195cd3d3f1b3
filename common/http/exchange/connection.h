#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <Poco/Net/StreamSocket.h>

#include "http/exchange/connection_socket.h"
#include "lifecycle/gate.h"
#include "lifecycle/http_server.h"

namespace lifecycle::http {

class Connection;
using ConnectionPtr = std::shared_ptr<Connection>;

/// The connections that the loop watches, by the moment at which their time is over.
using Limits = std::multimap<TimePoint, ConnectionPtr>;

/// The record of an accepted connection, from accept to close: its socket, and what it is doing.
///
/// One party at a time drives it: the loop while it has no request, a worker while it has. Others
/// may look (info) and cut at any moment. It holds a guard of the server's gate, so that "all
/// connections are gone" is "the gate is empty"; the record must therefore be dropped last.
class Connection {
public:
    /// Takes ownership of `descriptor`. All memory that the loop needs to watch the connection is allocated here, so
    /// that only a new connection can fail for lack of it. Throws std::bad_alloc.
    Connection(std::uint64_t id, FileDescriptor& descriptor, const Poco::Net::SocketAddress& peer,
               Duration ioTimeout, Gate::Guard guard);

    std::uint64_t id() const { return id_; }
    ConnectionSocket& socket() { return socket_; }
    const std::string& peer() const { return peer_; }

    /// The same socket for Poco's classes.
    const Poco::Net::StreamSocket& stream() const { return stream_; }

    ConnectionState state() const;
    /// Since when it is in this state; for a request, since it began.
    TimePoint since() const;
    void become(ConnectionState state, TimePoint now = Clock::now());

    /// What made it `queued` was neither a request nor a part of one: it is idle again, since the same time as before.
    void revertToIdle();

    /// The head of a request has arrived and is being parsed.
    void beginParsing(TimePoint now);

    /// It is to be refused and closed. False if it was cut before.
    [[nodiscard]] bool beginRefusal();

    /// A header has been read: the request counts as accepted from here on. False if the connection
    /// was cut before; then there is no such request.
    [[nodiscard]] bool beginRequest(const std::string& method, const std::string& path, bool hasBody);

    /// The header of the answer is about to be sent. Its body may end with the connection alone,
    /// without a length and not in chunks.
    void beginAnswer(bool endsWithConnection);

    /// The answer is flushed, or cannot be: counts it in `served`. False if the request was cut before.
    [[nodiscard]] bool endRequest(TimePoint now, std::atomic<std::uint64_t>& served);

    /// Shuts the connection down under the thread that uses it. Returns how many requests that cut, for the first time:
    /// one that is being worked on, and one that has arrived and waits for its turn, here or in the kernel.
    unsigned cut();

    /// Ends the connection so that the client cannot take half an answer for a whole one.
    void breakOff();

    ConnectionInfo info() const;

private:
    friend class ConnectionLoop;

    unsigned countRequests() noexcept;
    unsigned countWaiting() noexcept;
    void shutDown();

    const Gate::Guard guard_;  // first: given back last
    const std::uint64_t id_;
    const std::string peer_;
    ConnectionSocket& socket_;  // owned by stream_
    const Poco::Net::StreamSocket stream_;

    mutable std::mutex mutex_;  // guards what follows
    ConnectionState state_ = ConnectionState::fresh;
    TimePoint since_;
    ConnectionState quietState_ = ConnectionState::fresh;  // before it was queued
    TimePoint quietSince_;
    bool cut_ = false;
    bool parsing_ = false;  // with `reading`: its whole head has arrived
    bool endsWithConnection_ = false;
    bool hasBody_ = false;  // the request that is being worked on: what arrives may belong to it
    std::string method_;
    std::string path_;

    // Used by the loop.
    Limits::node_type unparked_;  // its node of the loop's limits while it is not among them
    Limits::iterator parked_;     // its place among them
    ConnectionPtr nextToPark_;    // guarded by the loop's mutex
};

}  // namespace lifecycle::http
