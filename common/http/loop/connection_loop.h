#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "http/exchange/service.h"
#include "http/loop/acceptor.h"
#include "http/loop/ready_set.h"
#include "http/loop/register.h"
#include "http/loop/workers.h"
#include "lifecycle/context.h"
#include "lifecycle/poll_loop.h"

namespace lifecycle::http {

/// All of a server that lies between the network and the exchanges: one thread that accepts and fires timers, and the
/// workers. That thread never runs a handler and never blocks on a client. Without memory for a new connection it sheds
/// that one, and goes on.
///
/// Way of a connection: accepted on the loop's thread, it waits in the ready set; the worker that gets its event serves
/// it and arms it again, lets it linger, or finishes it. That is the only way a connection ends: what others want closed
/// (by a time limit, by a cut) becomes ready.
///
/// What is public may be called from every thread.
class ConnectionLoop {
public:
    ConnectionLoop(Service& service, Register& connections, std::vector<Listener> listeners);

    /// Starts the threads, which keep `owner`, of which this is a part. Throws std::system_error.
    void start(std::weak_ptr<void> owner);

    /// Clients are told that their connections end from now on.
    void announce();

    /// Refuses new connections, accepts those that are queued or in the middle of connecting, and closes the
    /// listeners as soon as there are none left, see HttpServer::closeListener. After stopAccepting it closes them
    /// as they are. The grace period of connections without a request begins.
    void closeListeners();

    /// The same without waiting: connections that are still queued are reset.
    void closeListenersNow();

    /// Done when the listeners are closed.
    const Context& listenersClosed() const { return listenersClosed_.context; }

    /// Leaves the listeners to another process, and gives connections without a request the grace
    /// period. Blocks until that is done: nobody is accepted any more.
    void stopAccepting() { setAccepting(false); }

    /// The reverse; blocks until it is done.
    void resumeAccepting() { setAccepting(true); }

    /// Ends the threads: those that serve only if `waitForAll`. Closes what they leave.
    void stop(bool waitForAll);

    const Poco::Net::SocketAddress& address() const { return acceptor_.address(); }

private:
    // On the loop's thread.
    void onNotified();
    void onAccepted(Listener::Accepted client);
    void onScarce(Listener::Accepted client);
    void onListenersClosed(std::uint64_t reset);
    Admitted* admit(Listener::Accepted& client) noexcept;
    void take(bool accepting);
    void beginClosing();
    void fireLimits();
    bool hasRequest(Admitted& connection);

    // On a worker, or on the loop's thread when all are blocked.
    void serve(Admitted& connection, Exchanges& exchanges);
    Disposition linger(Admitted& connection);
    void settle(Admitted& connection, Disposition disposition);
    void arm(Admitted& connection, bool adjust);
    void finish(Admitted& connection);

    void setAccepting(bool accepting);

    Service& service_;
    Register& connections_;
    PollLoop loop_;
    ReadySet ready_;
    Acceptor acceptor_;
    Workers workers_;
    PollLoop::PreparedTimer limits_;
    const CancelableContext listenersClosed_;
    std::thread thread_;

    std::mutex mutex_;  // guards what follows: what others want
    std::condition_variable taken_;
    std::optional<bool> accepting_;
    std::uint64_t asked_ = 0;
    std::uint64_t answered_ = 0;
    bool closeListeners_ = false;
    bool stopped_ = false;
};

}  // namespace lifecycle::http
