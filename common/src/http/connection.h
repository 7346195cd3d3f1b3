#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include <Poco/Net/StreamSocket.h>

#include "http/connection_socket.h"
#include "lifecycle/gate.h"
#include "lifecycle/http_server.h"

namespace lifecycle::http {

/// The record of an accepted connection, from accept to close: its socket, and what it is doing.
///
/// One party at a time drives it: the loop while it has no request, a worker while it has. Others
/// may look (info) and cut at any moment. It holds a guard of the server's gate, so that "all
/// connections are gone" is "the gate is empty"; the record must therefore be dropped last.
class Connection {
public:
    Connection(std::uint64_t id, int descriptor, const Poco::Net::SocketAddress& peer,
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

    /// What made it `queued` was no request, nor a part of one: it is as quiet as before, and for as long.
    void staysQuiet();

    /// It is to be refused and closed. False if it was cut before.
    [[nodiscard]] bool beginRefusal();

    /// A header has been read: the request counts as accepted from here on. False if the connection
    /// was cut before; then there is no such request.
    [[nodiscard]] bool beginRequest(const std::string& method, const std::string& path);

    /// The header of the answer is about to be sent. Its body may end with the connection alone,
    /// without a length and not in chunks.
    void beginAnswer(bool endsWithConnection);

    /// The answer is flushed, or cannot be: counts it in `served`. False if the request was cut before.
    [[nodiscard]] bool endRequest(TimePoint now, std::atomic<std::uint64_t>& served);

    /// Ends the connection under whoever drives it. True if that cut a request, for the first time.
    bool cut();

    /// Ends the connection so that the client cannot take half an answer for a whole one.
    void breakOff();

    ConnectionInfo info() const;

private:
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
    bool endsWithConnection_ = false;
    std::string method_;
    std::string path_;
};

using ConnectionPtr = std::shared_ptr<Connection>;

}  // namespace lifecycle::http
