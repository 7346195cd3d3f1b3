#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "http/acceptor.h"
#include "http/connection.h"

namespace lifecycle::http {

class ServerCore;

/// The one thread that waits for the network: it accepts, watches the connections that have no
/// request, and keeps their time limits. It never runs a handler and never blocks on a client.
///
/// Way of a connection: accepted here; as soon as bytes are there, handed to a worker; given back by
/// park() when it has gone quiet or the rest of a header is missing, or by lingeringClose() when the
/// client may still be sending.
///
/// What is public may be called from every thread; the private functions run on the loop's thread.
class ConnectionLoop {
public:
    ConnectionLoop(ServerCore& core, std::vector<Listener> listeners);
    ~ConnectionLoop();

    void start();

    /// Watches a connection for its next request.
    void park(ConnectionPtr connection);

    /// Ends a connection whose client may not have finished sending: says the end to the client, and
    /// reads and drops what comes until the client closes, too, pauses for 5 s, or 30 s are over; in a shutdown 1 s. Closing at once
    /// would reset the connection, and the client might lose the answer. As nginx's lingering_close.
    void lingeringClose(ConnectionPtr connection);

    /// Accepts everybody in line and everybody who is in the middle of connecting, then closes the
    /// listeners: at once, or as soon as they are through, after a second and a half at most. After
    /// stopAccepting it closes them as they are. Connections without a request have the grace period
    /// from now on. The core's listenerClosed ends.
    void closeListeners();

    /// The same without waiting for those who are in the middle of connecting.
    void closeListenersNow();

    /// Leaves the listeners to another process, and gives connections without a request the grace
    /// period. Blocks until that is done: nobody is accepted any more.
    void stopAccepting() { setAccepting(false); }

    /// The reverse; blocks until it is done.
    void resumeAccepting() { setAccepting(true); }

    /// A connection has been closed, so accepting may be possible again.
    void descriptorFreed();

    /// Ends the thread and closes all connections that are parked.
    void stop();

    const Poco::Net::SocketAddress& address() const { return acceptor_.address(); }

private:
    struct Parked {
        ConnectionPtr connection;
        std::multimap<TimePoint, Connection*>::iterator limit;
    };
    /// What other threads ask for, until the loop's thread takes it.
    struct Requests {
        std::vector<ConnectionPtr> parked;
        std::optional<bool> accepting;
        std::vector<CancelFunction> whenTaken;
        bool closeListeners = false;
        bool closeNow = false;
        bool stop = false;
    };

    void run();
    int millisecondsToNextLimit() const;
    bool takeRequests();
    void wake();

    void setAccepting(bool accepting);
    void take(bool accepting);
    void welcome(Listener::Accepted client);
    void beginGrace();
    void endGrace();
    void setLimits();
    void setLimit(Parked& parked);

    void watch(ConnectionPtr connection);
    void arm(Connection& connection);
    void readable(Connection& connection);
    void linger(Connection& connection);
    void dispatch(ConnectionPtr connection);
    void refuse(ConnectionPtr connection);
    ConnectionPtr unpark(Connection& connection);
    void expire(TimePoint now);
    TimePoint limitFor(const Connection& connection) const;

    ServerCore& core_;
    const FileDescriptor epoll_;
    const FileDescriptor wake_;  // eventfd
    Acceptor acceptor_;
    std::thread thread_;

    std::mutex mutex_;
    Requests requests_;     // guarded by mutex_
    bool stopped_ = false;  // guarded by mutex_

    // Used by the loop's thread alone.
    std::unordered_map<Connection*, Parked> parked_;
    std::multimap<TimePoint, Connection*> limits_;
    std::optional<TimePoint> graceBegin_;
};

}  // namespace lifecycle::http
