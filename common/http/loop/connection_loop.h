#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "http/loop/acceptor.h"
#include "http/exchange/connection.h"

namespace lifecycle::http {

class ServerCore;

/// The one thread that waits for the network: it accepts, watches the connections that have no
/// request, and keeps their time limits. It never runs a handler and never blocks on a client. Without memory
/// for a new connection or a new request it sheds that one, and goes on.
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

    /// Closes a connection whose client may not have finished sending: shuts down the sending side, then reads and
    /// drops what arrives until the client closes as well, pauses for 5 s, or 30 s have passed; in a shutdown 1 s.
    /// Closing at once would reset the connection, and the client might lose the response. As nginx's lingering_close.
    void lingeringClose(ConnectionPtr connection);

    /// Refuses new connections, accepts those that are queued or in the middle of connecting, and closes the
    /// listeners as soon as there are none left, see HttpServer::closeListener. After stopAccepting it closes them
    /// as they are. The grace period of connections without a request begins. Fulfils the core's listenerClosed.
    void closeListeners();

    /// The same without waiting: connections that are still queued are reset.
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
    /// What other threads ask for, until the loop's thread takes it.
    struct Commands {
        ConnectionPtr parked;  // head of a list, see Connection::nextToPark_
        std::optional<bool> accepting;
        std::vector<CancelFunction> whenTaken;
        bool closeListeners = false;
        bool stop = false;
    };

    void run();
    int millisecondsToNextLimit() const;
    bool takeCommands();
    void wake();

    void setAccepting(bool accepting);
    void take(bool accepting);
    void serve(Listener::Accepted client);
    void shed(Listener::Accepted client);
    ConnectionPtr admit(Listener::Accepted& client) noexcept;
    void beginClosing();
    void beginGrace();
    void endGrace();
    void setLimits();
    void setLimit(Connection& connection);

    void watch(ConnectionPtr connection);
    void arm(Connection& connection);
    void readable(Connection& connection);
    void linger(Connection& connection);
    void dispatch(ConnectionPtr connection);
    void shed(ConnectionPtr connection, const char* reason);
    ConnectionPtr unpark(Connection& connection);
    void expire(TimePoint now);
    TimePoint limitFor(const Connection& connection) const;

    ServerCore& core_;
    const FileDescriptor epoll_;
    const FileDescriptor wake_;  // eventfd
    Acceptor acceptor_;
    std::thread thread_;

    std::mutex mutex_;
    Commands commands_;     // guarded by mutex_
    bool stopped_ = false;  // guarded by mutex_

    // Used by the loop's thread alone.
    Limits limits_;
    std::optional<TimePoint> graceBegin_;
};

}  // namespace lifecycle::http
