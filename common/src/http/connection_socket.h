#pragma once

#include <mutex>
#include <optional>

#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>

#include "lifecycle/duration.h"

namespace lifecycle::http {

/// The socket of an accepted connection, below Poco's StreamSocket.
///
/// Poco creates and closes an epoll descriptor for each wait, and asks the kernel for both addresses
/// with each request; this class waits with poll(2) and remembers the addresses. It also knows the
/// time limits of a server's connection, and can be cut by another thread at any moment.
///
/// One thread at a time uses the socket, except for cut().
class ConnectionSocket : public Poco::Net::StreamSocketImpl {
public:
    /// Takes `descriptor` over.
    ConnectionSocket(int descriptor, Poco::Net::SocketAddress peer, Duration timeout);

    /// All receiving must be over at `end`, however regularly bytes trickle in; nullopt lifts that.
    void limitReceiving(std::optional<TimePoint> end) { receiveEnd_ = end; }

    /// How long receiving waits when nothing is there.
    enum class Patience {
        full,    ///< as long as the time limits allow; then it throws Poco::TimeoutException
        little,  ///< `attention`; then it reports the end of the stream, and gaveUp() is true
        none,    ///< not at all; otherwise as `little`
    };
    void setPatience(Patience patience);
    bool gaveUp() const { return gaveUp_; }

    /// The receive timeout that accepted sockets must have, and inherit from their listener. Long
    /// enough for a busy client to come back on a busy machine: giving up costs several wake-ups.
    static constexpr Duration attention = std::chrono::milliseconds(20);

    /// The client has closed its side, and that has been read.
    bool endOfStream() const { return endOfStream_; }

    /// Bytes that nobody has received yet are there.
    bool hasInput() const;

    /// Shuts the connection down in both directions, which ends every wait of the thread that uses
    /// it. Safe from every thread, also while that thread closes the socket.
    void cut();

    /// As cut, but the client sees a reset instead of the end of the stream.
    void reset();

    bool poll(const Poco::Timespan& timeout, int mode) override;
    int receiveBytes(void* buffer, int length, int flags) override;
    int sendBytes(const void* buffer, int length, int flags) override;
    void setReceiveTimeout(const Poco::Timespan& timeout) override;
    Poco::Timespan getReceiveTimeout() override;
    void setSendTimeout(const Poco::Timespan& timeout) override;
    Poco::Timespan getSendTimeout() override;
    Poco::Net::SocketAddress address() override;
    Poco::Net::SocketAddress peerAddress() override { return peer_; }
    void close() override;

    using StreamSocketImpl::receiveBytes;
    using StreamSocketImpl::sendBytes;

protected:
    ~ConnectionSocket() override;  // counted references delete it

private:
    bool waitFor(short event, Duration limit);

    const Poco::Net::SocketAddress peer_;
    std::optional<Poco::Net::SocketAddress> local_;
    Duration receiveTimeout_;
    Duration sendTimeout_;
    std::optional<TimePoint> receiveEnd_;
    Patience patience_ = Patience::full;
    bool gaveUp_ = false;
    bool endOfStream_ = false;
    std::mutex openMutex_;  // held by cut() and close(): never shut down a number that was given away
};

}  // namespace lifecycle::http
