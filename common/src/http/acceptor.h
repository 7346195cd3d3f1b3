#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <vector>

#include "http/listener.h"
#include "lifecycle/duration.h"
#include "lifecycle/file_descriptor.h"

namespace lifecycle::http {

class ServerCore;

/// The listeners of a server: takes clients from them, and ends that in one of two ways. stop()
/// leaves the sockets, and who is in line, to another process that holds them, too; beginClosing()
/// takes everybody in line and closes.
///
/// Used by the loop's thread alone, except for isPaused().
class Acceptor {
public:
    using Welcome = std::function<void(Listener::Accepted)>;

    /// Adds the listeners to `epoll`. Throws std::system_error.
    Acceptor(ServerCore& core, std::vector<Listener> listeners, int epoll, Welcome welcome);

    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    /// Of the first listener.
    const Poco::Net::SocketAddress& address() const { return listeners_.front().address(); }

    /// `source` of an epoll event is one of the listeners.
    bool owns(const void* source) const;

    /// Accepts everybody in line. False if somebody has to stay there, for want of a descriptor.
    bool acceptAll();

    void stop();
    void resume();

    /// Closes, see ConnectionLoop::closeListeners: now, or in a later step().
    void beginClosing();
    /// Waits for nobody any more.
    void closeNow();
    bool isClosing() const { return closingSince_.has_value(); }

    /// Closes without any care.
    void close();

    /// No descriptor was left; retry() goes on when there may be one.
    bool isPaused() const { return paused_.load(); }
    void retry();

    /// When step() has to be called.
    std::optional<TimePoint> nextStep() const;
    void step(TimePoint now);

private:
    bool acceptAll(Listener& listener);
    bool refuseOneWithReserve(Listener& listener);
    void pause();
    void watch(int operation, std::uint32_t events);
    void closeUnlessAwaited();
    void finishClosing();
    Handshakes handshakes() const;

    ServerCore& core_;
    std::vector<Listener> listeners_;
    const int epoll_;
    const Welcome welcome_;
    FileDescriptor reserve_;  // to give up when there is none left
    bool stopped_ = false;
    std::atomic<bool> paused_ = false;
    bool refusing_ = true;  // so far, all listeners that were asked to
    std::optional<TimePoint> lastAccept_;
    std::optional<TimePoint> closingSince_;
    std::optional<TimePoint> handshakeCheck_;
    std::optional<TimePoint> pauseRetry_;
};

}  // namespace lifecycle::http
