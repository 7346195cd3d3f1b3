#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "http/loop/handshakes.h"
#include "http/loop/listener.h"
#include "lifecycle/duration.h"
#include "lifecycle/file_descriptor.h"
#include "lifecycle/poll_loop.h"

namespace lifecycle::http {

struct Service;

/// Accepts connections from the listeners of a server, and stops in one of two ways. stop() leaves the
/// sockets, and the connections in their queues, to another process that holds them as well; beginClosing()
/// accepts what is queued and closes the sockets.
///
/// No call accepts more than a batch, so that a stream of connects cannot starve the loop's other work. A
/// shutdown needs no descriptor that was not opened at the start.
///
/// Used on the loop's thread only, except for isPaused(), expectArrivals() and hurry().
class Acceptor {
public:
    struct Callbacks {
        std::function<void(Listener::Accepted)> accepted;  ///< must not throw
        std::function<void(Listener::Accepted)> shed;      ///< responds 503 and closes; must not throw
        std::function<void(std::uint64_t)> closed;         ///< all listeners; so many queued connections were reset
    };

    /// Watches the listeners. Throws std::system_error.
    Acceptor(PollLoop& loop, Service& service, std::vector<Listener> listeners, Callbacks callbacks);

    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    /// Of the first listener.
    const Poco::Net::SocketAddress& address() const { return listeners_.front().address(); }

    void stop();
    void resume();

    /// Closes, see ConnectionLoop::closeListeners: now, or in a later step.
    void beginClosing();
    bool isClosing() const { return closingSince_.has_value(); }

    /// Clients were told that their connections end, and will connect anew.
    void expectArrivals() { expectsArrivals_ = true; }

    /// The deadline has passed: stops a batch that is under way on the loop's thread, and closing no longer waits
    /// for anything.
    void hurry() { hurried_.store(true); }
    bool isHurried() const { return hurried_.load(std::memory_order_relaxed); }
    /// What is still queued is reset, and counts as cut.
    void closeNow();

    /// Closes without any care.
    void close();

    /// No descriptor was left; retry() goes on when there may be one.
    bool isPaused() const { return paused_.load(); }
    void retry();

private:
    /// What a batch has left in the accept queues.
    enum class Left {
        nothing,
        more,     ///< for the next batch
        waiting,  ///< for a descriptor
    };

    void accept();
    Left acceptBatch();
    Left acceptBatch(Listener& listener);
    Listener::Status acceptOne(Listener& listener);
    Listener::Status shedWithReserve(Listener& listener);
    void pause();
    void setWatching(bool watching);
    void continueClosing();
    void finishClosing();
    Handshakes handshakes();

    PollLoop& loop_;
    Service& service_;
    std::vector<Listener> listeners_;
    const Callbacks callbacks_;
    HandshakeQuery handshakeQuery_;
    FileDescriptor reserve_;  // released to respond to a client when no other is left
    PollLoop::PreparedTimer closingStep_;
    PollLoop::PreparedTimer pauseRetry_;
    bool stopped_;
    bool closed_ = false;
    std::atomic<bool> paused_ = false;
    std::atomic<bool> hurried_ = false;
    std::atomic<bool> expectsArrivals_ = false;
    bool refusing_ = true;  // while closing: the kernel refuses new connections to all listeners
    bool arrivals_ = false;  // while closing: clients connected recently
    std::optional<TimePoint> lastAccept_;
    std::optional<TimePoint> closingSince_;
};

}  // namespace lifecycle::http
