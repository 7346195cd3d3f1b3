#include "http/loop/acceptor.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "http/exchange/service.h"

namespace lifecycle::http {
namespace {

/// Handshakes that were under way complete without help of the client's program, but not at once on a
/// busy machine. The kernel is asked about them this often at first, less often later ...
constexpr Duration handshakeStep = std::chrono::milliseconds(1);

/// ... and closing waits for them no longer than this: the client may be gone. A lost packet is retransmitted
/// after a second, RFC 6298. Queued connections that wait for a descriptor have as long, from the last one that
/// got one.
constexpr Duration maxHandshake = std::chrono::milliseconds(1500);

/// What they get where the kernel does not tell about them, or lets new ones begin.
constexpr Duration blindHandshake = std::chrono::milliseconds(5);

/// A listener that nobody has used for this long is closed without waiting for handshakes.
constexpr Duration arrivalsAreRecent = std::chrono::milliseconds(250);

/// When the system, not this process, has run out of descriptors, nothing tells that one is free.
constexpr Duration exhaustedRetry = std::chrono::milliseconds(100);

/// In a shutdown, descriptors of idle connections become free when the grace ends. A queued connection without
/// a descriptor waits until then and a little longer before it is shed, but it does not wait for a long grace.
constexpr Duration graceMargin = std::chrono::milliseconds(50);
constexpr Duration maxDescriptorWait = std::chrono::milliseconds(500);

/// While clients connect faster than they are accepted, connections that exist must have their turn.
constexpr int batch = 64;

FileDescriptor openReserve() {
    return FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

Acceptor::Acceptor(PollLoop& loop, Service& service, std::vector<Listener> listeners, Callbacks callbacks)
    : loop_(loop),
      service_(service),
      listeners_(std::move(listeners)),
      callbacks_(std::move(callbacks)),
      reserve_(openReserve()),
      closingStep_(loop, [this] { continueClosing(); }),
      pauseRetry_(loop, [this] { retry(); }),
      stopped_(!service.options.acceptFromStart) {
    for (const Listener& listener : listeners_) {
        loop_.watch(listener.descriptor(), [this] { accept(); });
    }
    setWatching(!stopped_);
}

void Acceptor::setWatching(bool watching) {
    for (const Listener& listener : listeners_) {
        if (listener.isOpen()) {
            watching ? loop_.resume(listener.descriptor()) : loop_.pause(listener.descriptor());
        }
    }
}

void Acceptor::accept() {
    if (isClosing() && !closed_) {
        continueClosing();
    } else {
        acceptBatch();
    }
}

Acceptor::Left Acceptor::acceptBatch() {
    Left left = Left::nothing;
    for (Listener& listener : listeners_) {
        left = std::max(left, acceptBatch(listener));
    }
    return left;
}

Acceptor::Left Acceptor::acceptBatch(Listener& listener) {
    for (int accepted = 0; listener.isOpen() && !stopped_; ++accepted) {
        if (accepted == batch || isHurried()) {
            return Left::more;
        }
        switch (acceptOne(listener)) {
            case Listener::Status::accepted:
                break;
            case Listener::Status::empty:
                if (isClosing() && listener.isLocal()) {
                    // A Unix socket that refuses new connections is always readable to epoll.
                    loop_.forget(listener.descriptor());
                    listener.close();
                }
                return Left::nothing;
            case Listener::Status::exhausted:
                pause();
                return Left::waiting;
        }
    }
    return Left::nothing;
}

Listener::Status Acceptor::acceptOne(Listener& listener) {
    if (isClosing() && !reserve_) {
        // It comes first: with a client in its place, the rest of the queue could not be shed, and would be reset.
        reserve_ = openReserve();
        if (!reserve_) {
            return Listener::Status::exhausted;
        }
    }
    std::optional<Listener::Accepted> client;
    const Listener::Status status = listener.accept(client);
    if (status == Listener::Status::accepted) {
        lastAccept_ = Clock::now();
        callbacks_.accepted(std::move(*client));
    }
    return status == Listener::Status::exhausted ? shedWithReserve(listener) : status;
}

void Acceptor::pause() {
    // Level-triggered readiness of a listener that cannot be accepted from would spin.
    setWatching(false);
    pauseRetry_.in(exhaustedRetry);
    if (!paused_.exchange(true)) {
        service_.emit("accept.paused", {{"note", "no descriptor left; clients wait in the accept queue until one is free"}});
    }
}

void Acceptor::retry() {
    if (!isPaused() || stopped_ || closed_) {
        return;
    }
    pauseRetry_.cancel();
    // Before the attempt: a descriptor freed from here on wakes the loop again.
    setWatching(true);
    accept();
    if (!pauseRetry_.isSet() && paused_.exchange(false)) {
        service_.emit("accept.resumed", {});
    }
}

/// In a shutdown, when waiting for a descriptor has not helped. While serving, clients wait for their turn.
Listener::Status Acceptor::shedWithReserve(Listener& listener) {
    const Duration patience = std::min(addSaturated(service_.options.keepAliveGrace, graceMargin), maxDescriptorWait);
    if (!isClosing() || Clock::now() - *closingSince_ < patience) {
        return Listener::Status::exhausted;
    }
    reserve_.reset();
    std::optional<Listener::Accepted> client;
    const Listener::Status status = listener.accept(client);
    if (status == Listener::Status::accepted) {
        lastAccept_ = Clock::now();
        callbacks_.shed(std::move(*client));
    } else {
        reserve_ = openReserve();  // unless another thread has taken its place
    }
    return status;
}

// ---- leaving the sockets to another process ----------------------------------------------------

void Acceptor::stop() {
    if (isClosing() || stopped_) {
        return;
    }
    stopped_ = true;
    paused_.store(false);
    pauseRetry_.cancel();
    setWatching(false);
}

void Acceptor::resume() {
    if (isClosing() || !stopped_) {
        return;
    }
    stopped_ = false;
    expectsArrivals_ = false;
    setWatching(true);  // which cannot fail, unlike adding them again
}

// ---- closing them ------------------------------------------------------------------------------

void Acceptor::beginClosing() {
    closingSince_ = Clock::now();
    if (stopped_) {
        finishClosing();
        return;
    }
    // Clients that have just been told "close" connect anew at this very moment.
    arrivals_ = expectsArrivals_ || (lastAccept_ && *closingSince_ - *lastAccept_ < arrivalsAreRecent);
    // Before anything is accepted: from here on the queues grow only by handshakes under way.
    for (Listener& listener : listeners_) {
        refusing_ = listener.refuseNewcomers() && refusing_;
    }
    continueClosing();
}

/// Accepts a batch, and closes once the queues are empty and all handshakes that had begun have completed.
void Acceptor::continueClosing() {
    const Left left = acceptBatch();
    const TimePoint now = Clock::now();
    const Duration waited = now - *closingSince_;
    if (left == Left::more && (refusing_ || waited < maxHandshake)) {
        closingStep_.at(now);
        return;
    }
    if (left == Left::waiting && now - std::max(*closingSince_, lastAccept_.value_or(*closingSince_)) < maxHandshake) {
        closingStep_.cancel();  // see retry()
        return;
    }
    arrivals_ = arrivals_ || (lastAccept_ && *lastAccept_ > *closingSince_);
    const Handshakes found = arrivals_ ? handshakes() : Handshakes::none;
    const Duration limit = found == Handshakes::none                    ? Duration::zero()
                           : found == Handshakes::underWay && refusing_ ? maxHandshake
                                                                        : blindHandshake;
    if (waited < limit) {
        closingStep_.at(now + std::max(handshakeStep, waited / 8));
    } else if (arrivals_ && left == Left::nothing && acceptBatch() != Left::nothing) {
        closingStep_.at(now);  // handshakes have completed since the last batch
    } else {
        finishClosing();
    }
}

void Acceptor::closeNow() {
    if (!isClosing()) {
        beginClosing();
    }
    if (!closed_) {
        finishClosing();
    }
}

Handshakes Acceptor::handshakes() {
    Handshakes all = Handshakes::none;
    for (const Listener& listener : listeners_) {
        const Handshakes one = listener.handshakes(handshakeQuery_);
        if (one == Handshakes::underWay || all == Handshakes::none) {
            all = one;
        }
    }
    return all;
}

void Acceptor::finishClosing() {
    closed_ = true;
    closingStep_.cancel();
    pauseRetry_.cancel();
    paused_.store(false);
    std::uint64_t reset = 0;
    for (const Listener& listener : listeners_) {
        reset += stopped_ || !listener.isOpen() ? 0 : listener.queued();
    }
    close();
    callbacks_.closed(reset);
}

void Acceptor::close() {
    for (Listener& listener : listeners_) {
        if (listener.isOpen()) {
            // Closing our descriptor of a socket that another process holds, too, would not take it out of epoll.
            loop_.forget(listener.descriptor());
            listener.close();
        }
    }
}

}  // namespace lifecycle::http
