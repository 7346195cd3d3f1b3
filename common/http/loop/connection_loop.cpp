#include "http/loop/connection_loop.h"

#include <sys/socket.h>

#include <cerrno>
#include <new>
#include <utility>

#include "core/quiet_thread.h"

namespace lifecycle::http {

ConnectionLoop::ConnectionLoop(Service& service, Register& connections, std::vector<Listener> listeners)
    : service_(service),
      connections_(connections),
      acceptor_(loop_, service, std::move(listeners),
                {.accepted = [this](Listener::Accepted client) { onAccepted(std::move(client)); },
                 .shed = [this](Listener::Accepted client) { onScarce(std::move(client)); },
                 .closed = [this](std::uint64_t reset) { onListenersClosed(reset); }}),
      workers_(loop_, ready_, service, {.threads = service.options.threads, .queue = service.options.queue},
               {.serve = [this](Admitted& connection, Exchanges& exchanges) { serve(connection, exchanges); },
                .hasRequest = [this](Admitted& connection) { return hasRequest(connection); },
                .shed = [this](Admitted& connection) {
                    settle(connection, shed(service_, connection, "the queue is full"));
                },
                .connections = [this] { return connections_.gate().count(); }}),
      limits_(loop_, [this] { fireLimits(); }),
      listenersClosed_(withCancel(Context::background())) {
    loop_.onNotify([this] { onNotified(); });
}

// ---- called from every thread ------------------------------------------------------------------

void ConnectionLoop::start(std::weak_ptr<void> owner) {
    workers_.start(std::move(owner));
    try {
        thread_ = detail::startQuietThread("http-loop", [this] { loop_.run(); });
    } catch (...) {
        workers_.stop(true);
        throw;
    }
}

void ConnectionLoop::announce() {
    if (connections_.gate().count() > 0) {
        acceptor_.expectArrivals();
    }
}

void ConnectionLoop::closeListeners() {
    {
        const std::lock_guard lock(mutex_);
        closeListeners_ = true;
    }
    loop_.notify();
}

void ConnectionLoop::closeListenersNow() {
    acceptor_.hurry();
    loop_.notify();
}

void ConnectionLoop::setAccepting(bool accepting) {
    std::unique_lock lock(mutex_);
    accepting_ = accepting;
    const std::uint64_t number = ++asked_;
    loop_.notify();
    taken_.wait(lock, [&] { return answered_ >= number || stopped_; });
}

void ConnectionLoop::stop(bool waitForAll) {
    workers_.stop(waitForAll);
    loop_.stop();
    if (thread_.joinable()) {
        thread_.join();
    }
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        taken_.notify_all();
    }
    while (Admitted* const left = workers_.takeLeft()) {
        finish(*left);
    }
    acceptor_.close();
}

// ---- the loop's thread -------------------------------------------------------------------------

void ConnectionLoop::onNotified() {
    workers_.onNotified();
    acceptor_.retry();
    fireLimits();
    std::unique_lock lock(mutex_);
    const std::optional<bool> accepting = std::exchange(accepting_, std::nullopt);
    const std::uint64_t asked = asked_;
    const bool closeListeners = std::exchange(closeListeners_, false);
    lock.unlock();
    if (accepting && !acceptor_.isClosing()) {
        take(*accepting);
    }
    lock.lock();
    answered_ = asked;
    taken_.notify_all();
    lock.unlock();
    if (closeListeners || acceptor_.isHurried()) {
        beginClosing();
    }
}

void ConnectionLoop::take(bool accepting) {
    if (accepting) {
        connections_.cancelEnd();
        connections_.endGrace();
        service_.counters.answeredWithClose = 0;
        service_.counters.idleClosed = 0;
        service_.phase.resume();
        acceptor_.resume();
    } else {
        acceptor_.stop();
        connections_.beginEnd();
        connections_.beginGrace();
        fireLimits();
    }
}

void ConnectionLoop::beginClosing() {
    if (!acceptor_.isClosing()) {
        connections_.beginEnd();
        connections_.beginGrace();
        fireLimits();
        workers_.drain();
        acceptor_.beginClosing();
    }
    if (acceptor_.isHurried()) {
        acceptor_.closeNow();
    }
}

void ConnectionLoop::onListenersClosed(std::uint64_t reset) {
    service_.counters.cut += reset;
    connections_.gate().close();
    if (reset > 0) {
        service_.emit("listener.closed", {{"cut", reset}, {"note", "they were still in the accept queue"}});
    } else {
        service_.emit("listener.closed", {});
    }
    listenersClosed_.cancel("listener closed");
}

void ConnectionLoop::onAccepted(Listener::Accepted client) {
    if (Admitted* const connection = admit(client)) {
        if (!ready_.add(*connection)) {
            finish(*connection);  // The kernel has no memory for it.
        }
    }
}

/// The last descriptor is that of this client.
void ConnectionLoop::onScarce(Listener::Accepted client) {
    Admitted* const connection = admit(client);
    if (connection == nullptr) {
        return;
    }
    connections_.hurryLingering();
    const Disposition disposition = shed(service_, *connection, "no descriptor left");
    if (disposition == Disposition::linger && connections_.adjust(*connection)) {
        fireLimits();
    }
    if (disposition != Disposition::linger || !ready_.add(*connection)) {
        finish(*connection);
    }
}

Admitted* ConnectionLoop::admit(Listener::Accepted& client) noexcept try {
    Admitted* const connection = connections_.admit(client);
    if (!limits_.isSet() || connections_.inGrace()) {
        fireLimits();  // It may be the first one whose time is over.
    }
    return connection;
} catch (const std::bad_alloc&) {
    service_.shed(client.descriptor.get(), "unknown", "no memory left");
    return nullptr;
}

void ConnectionLoop::fireLimits() {
    if (const std::optional<TimePoint> next = connections_.fireLimits()) {
        limits_.at(*next);
    } else {
        limits_.cancel();
    }
}

/// When all workers are blocked. What is no request is dealt with here.
bool ConnectionLoop::hasRequest(Admitted& connection) {
    if (connection.state() == ConnectionState::closing) {
        settle(connection, linger(connection));
        return false;
    }
    char byte;
    const ssize_t seen = ::recv(connection.socket().sockfd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (seen > 0) {
        return true;
    }
    const bool goesOn = seen < 0 && (errno == EAGAIN || errno == EINTR);
    settle(connection, goesOn && !connection.isExpired() ? Disposition::keepAlive : Disposition::close);
    return false;
}

// ---- serving -----------------------------------------------------------------------------------

void ConnectionLoop::serve(Admitted& connection, Exchanges& exchanges) {
    const bool lingers = connection.state() == ConnectionState::closing;
    settle(connection, lingers ? linger(connection) : exchanges.serve(connection));
}

/// Drops what the client still sends.
Disposition ConnectionLoop::linger(Admitted& connection) {
    if (connection.isExpired() || !dropInput(connection.socket().sockfd())) {
        return Disposition::close;
    }
    connection.noteInput(Clock::now());
    return Disposition::keepAlive;
}

void ConnectionLoop::settle(Admitted& connection, Disposition disposition) {
    if (connection.isCut() && disposition != Disposition::takenOver) {
        disposition = Disposition::close;  // Perhaps nobody waits for events any more.
    }
    switch (disposition) {
        case Disposition::keepAlive:
            arm(connection, connections_.inGrace());
            break;
        case Disposition::linger:
            // Closing at once would reset the connection, and the client might lose the response.
            connection.beginLingering(Clock::now());
            ::shutdown(connection.socket().sockfd(), SHUT_WR);
            arm(connection, true);
            break;
        case Disposition::close:
            finish(connection);
            break;
        case Disposition::takenOver:
            connections_.forget(connection);
            break;
    }
}

void ConnectionLoop::arm(Admitted& connection, bool adjust) {
    if (adjust && connections_.adjust(connection)) {
        loop_.notify();
    }
    if (!ready_.arm(connection)) {
        finish(connection);  // The kernel has no memory for it.
    }
}

void ConnectionLoop::finish(Admitted& connection) {
    service_.counters.idleClosed += connection.isClosedByGrace() ? 1 : 0;
    connections_.finish(connection);
    if (acceptor_.isPaused()) {
        loop_.notify();  // It has a descriptor now.
    }
}

}  // namespace lifecycle::http
