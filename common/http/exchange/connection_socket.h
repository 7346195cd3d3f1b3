#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>

#include "http/framing/head_buffer.h"
#include "lifecycle/duration.h"

namespace lifecycle::http {

/// What has arrived of the next request.
enum class Arrival {
    nothing,
    part,       ///< kept by the socket; the rest may come
    whole,      ///< its head: until endHead(), receiveBytes() returns the placeholder and then the end of the stream
    malformed,  ///< no further byte can make it a request
    end,        ///< the client has closed the connection, or it is broken
    noMemory,
};

/// The socket of an accepted connection, below Poco's StreamSocket.
///
/// Poco creates and closes an epoll descriptor for each wait, and asks the kernel for both addresses
/// with each request; this class waits with poll(2) and remembers the addresses. It also knows the
/// time limits of a server's connection, and can be cut by another thread at any moment.
///
/// It collects and parses a request's head until that is complete, so that no thread waits for the rest of one.
/// Poco does not read that head: it gets a placeholder, which it insists on reading.
///
/// One thread at a time uses the socket, except for cut(), reset(), endReceiving(), hasInput() and
/// requestIsWaiting().
class ConnectionSocket : public Poco::Net::StreamSocketImpl {
public:
    /// Takes ownership of `descriptor`.
    ConnectionSocket(int descriptor, Poco::Net::SocketAddress peer, Duration timeout);

    /// Receives what there is of the next request, unless a whole head has arrived already. Never waits.
    Arrival receiveHead() noexcept;

    /// That head; of a malformed one only the status.
    const RequestHead& head() const { return held_.head(); }

    /// Lets receiveBytes() continue after the head.
    void endHead();

    /// The next `count` bytes are the rest of a body that nobody reads: receiveHead() drops them.
    void skip(std::uint64_t count);

    /// Gives back bytes that were received, to be received again.
    void unreceive(std::string_view bytes);

    /// Bytes are here that nobody has read: epoll would not tell of them.
    bool holdsBytes() const { return !held_.empty(); }

    /// The head of a request has arrived, here or in the kernel, and nobody works on it.
    bool requestIsWaiting();

    /// Bytes sent since the connection was accepted.
    std::uint64_t sent() const { return sent_; }

    /// Nobody knows how much of the last part was sent. Poco's streams try once more when they are destroyed, so all
    /// that is sent afterwards fails, too: a client that reads again would get bytes twice.
    bool sendFailed() const { return sendFailed_; }

    /// The client has closed its side, and that has been read.
    bool endOfStream() const { return endOfStream_; }

    /// Bytes that nobody has received yet are there.
    bool hasInput();

    /// To the reader the connection ends after what has arrived. Safe from every thread, as cut().
    void endReceiving();

    /// How many can be received without waiting.
    std::ptrdiff_t bytesThere() const;

    /// Shuts the connection down in both directions, which ends every wait of the thread that uses
    /// it. Safe from every thread, also while that thread closes the socket.
    void cut();

    /// As cut, but the client sees a reset instead of the end of the stream.
    void reset();

    int available() override { return static_cast<int>(bytesThere()); }
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
    Arrival parseHeld(std::size_t& received);
    bool inKernel() const;

    const Poco::Net::SocketAddress peer_;
    std::optional<Poco::Net::SocketAddress> local_;
    Duration receiveTimeout_;
    Duration sendTimeout_;
    std::uint64_t sent_ = 0;
    bool sendFailed_ = false;
    bool endOfStream_ = false;
    std::size_t placeholderRead_ = 0;
    HeadBuffer held_;         // received, and not read by Poco yet
    std::uint64_t skip_ = 0;  // to drop before the next head
    std::mutex mutex_;  // guards the descriptor, whose number may be reused once it is closed, and held_ and skip_
};

}  // namespace lifecycle::http
