#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <vector>

#include "http/loop/listener.h"
#include "lifecycle/duration.h"
#include "lifecycle/file_descriptor.h"

namespace lifecycle::http {

class ServerCore;

/// Accepts connections from the listeners of a server, and stops in one of two ways. stop() leaves the
/// sockets, and the connections in their queues, to another process that holds them as well; beginClosing()
/// accepts what is queued and closes the sockets.
///
/// No call accepts more than a batch, so that a stream of connects cannot starve the loop's other work. A
/// shutdown needs no descriptor that was not opened at the start.
///
/// Used by the loop's thread only, except for isPaused() and hurry().
class Acceptor {
public:
    /// Takes an accepted connection; must not throw. `shed`: responds 503 and closes.
    using OnAccepted = std::function<void(Listener::Accepted)>;

    /// Adds the listeners to `epoll`. Throws std::system_error.
    Acceptor(ServerCore& core, std::vector<Listener> listeners, int epoll, OnAccepted serve, OnAccepted shed);

    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    /// Of the first listener.
    const Poco::Net::SocketAddress& address() const { return listeners_.front().address(); }

    /// `source` of an epoll event is one of the listeners.
    bool owns(const void* source) const;

    /// Accepts a batch. To be called when a listener is readable.
    void accept();

    void stop();
    void resume();

    /// Closes, see ConnectionLoop::closeListeners: now, or in a later step().
    void beginClosing();
    bool isClosing() const { return closingSince_.has_value(); }

    /// The deadline has passed: stops a batch that is under way on the loop's thread, and closing no longer waits
    /// for anything. May be called from every thread.
    void hurry() { hurried_.store(true); }
    bool isHurried() const { return hurried_.load(std::memory_order_relaxed); }
    /// What is still queued is reset, and counts as cut.
    void closeNow();

    /// A shed client's connection uses the reserve, for which others may be waiting.
    bool reserveIsUsed() const { return isClosing() && !reserve_; }

    /// Closes without any care.
    void close();

    /// No descriptor was left; retry() goes on when there may be one.
    bool isPaused() const { return paused_.load(); }
    void retry();

    /// When step() has to be called.
    std::optional<TimePoint> nextStep() const;
    void step(TimePoint now);

private:
    /// What a batch has left in the accept queues.
    enum class Left {
        nothing,
        more,     ///< for the next batch
        waiting,  ///< for a descriptor
    };

    Left acceptBatch();
    Left acceptBatch(Listener& listener);
    bool shedWithReserve(Listener& listener);
    void pause();
    void watch(int operation, std::uint32_t events);
    void watch(Listener& listener, int operation, std::uint32_t events);
    void continueClosing();
    void finishClosing();
    Handshakes handshakes();

    ServerCore& core_;
    std::vector<Listener> listeners_;
    const int epoll_;
    const OnAccepted serve_;
    const OnAccepted shed_;
    HandshakeQuery handshakeQuery_;
    FileDescriptor reserve_;  // released to respond to a client when no other is left
    bool stopped_;
    bool closed_ = false;
    std::atomic<bool> paused_ = false;
    std::atomic<bool> hurried_ = false;
    bool refusing_ = true;    // while closing: the kernel refuses new connections to all listeners
    bool arrivals_ = false;   // while closing: clients connected recently
    std::optional<TimePoint> lastAccept_;
    std::optional<TimePoint> closingSince_;
    std::optional<TimePoint> closingStep_;
    std::optional<TimePoint> pauseRetry_;
};

}  // namespace lifecycle::http
