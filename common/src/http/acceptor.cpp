#include "http/acceptor.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "http/refusal.h"
#include "http/server_core.h"

namespace lifecycle::http {
namespace {

/// Handshakes that were under way complete without help of the client's program, but not at once on a
/// busy machine. They are asked after this often at first, less often later ...
constexpr Duration handshakeStep = std::chrono::milliseconds(1);

/// ... and waited for no longer than this, if nobody new can begin meanwhile: the client may be gone. One
/// lost packet is repeated after a second, RFC 6298.
constexpr Duration longestHandshake = std::chrono::milliseconds(1500);

/// What they get where the kernel does not tell about them, or lets new ones begin.
constexpr Duration blindHandshake = std::chrono::milliseconds(5);

/// A listener that nobody has used for this long is closed without waiting for handshakes.
constexpr Duration arrivalsAreRecent = std::chrono::milliseconds(250);

/// When the system, not this process, has run out of descriptors, nothing tells that one is free.
constexpr Duration exhaustedRetry = std::chrono::milliseconds(100);

/// While clients come faster than they are accepted, connections that are there must have their turn.
constexpr int mostAtOnce = 64;

FileDescriptor openReserve() {
    return FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

Acceptor::Acceptor(ServerCore& core, std::vector<Listener> listeners, int epoll, Welcome welcome)
    : core_(core),
      listeners_(std::move(listeners)),
      epoll_(epoll),
      welcome_(std::move(welcome)),
      reserve_(openReserve()) {
    watch(EPOLL_CTL_ADD, EPOLLIN);
}

bool Acceptor::owns(const void* source) const {
    return std::any_of(listeners_.begin(), listeners_.end(),
                       [source](const Listener& listener) { return &listener == source; });
}

void Acceptor::watch(int operation, std::uint32_t events) {
    for (Listener& listener : listeners_) {
        epoll_event event{};
        event.events = events;
        event.data.ptr = &listener;
        if (::epoll_ctl(epoll_, operation, listener.descriptor(), &event) == -1 && operation == EPOLL_CTL_ADD) {
            throw std::system_error(errno, std::generic_category(), "epoll_ctl");
        }
    }
}

bool Acceptor::acceptAll() {
    bool allAreIn = true;
    for (Listener& listener : listeners_) {
        allAreIn = acceptAll(listener) && allAreIn;
    }
    return allAreIn;
}

bool Acceptor::acceptAll(Listener& listener) {
    std::optional<Listener::Accepted> client;
    for (int accepted = 0; listener.isOpen() && !stopped_ && (isClosing() || accepted < mostAtOnce); ++accepted) {
        switch (listener.accept(client)) {
            case Listener::Status::accepted:
                lastAccept_ = Clock::now();
                welcome_(std::move(*client));
                break;
            case Listener::Status::empty:
                return true;
            case Listener::Status::exhausted:
                if (!isClosing()) {
                    pause();
                    return false;
                }
                if (!refuseOneWithReserve(listener)) {  // Another thread has taken the reserve's place.
                    return !listener.hasClients();
                }
                break;
        }
    }
    return true;
}

void Acceptor::pause() {
    // Level-triggered readiness of a listener that cannot be accepted from would spin.
    watch(EPOLL_CTL_MOD, 0);
    pauseRetry_ = Clock::now() + exhaustedRetry;
    if (!paused_.exchange(true)) {
        core_.emit("accept.paused", {{"note", "no descriptor left; clients wait in line until one is free"}});
    }
}

void Acceptor::retry() {
    if (!isPaused() || !listeners_.front().isOpen() || stopped_) {
        return;
    }
    pauseRetry_.reset();
    // Before the attempt: a descriptor freed from here on wakes the loop again.
    watch(EPOLL_CTL_MOD, EPOLLIN);
    acceptAll();
    if (!pauseRetry_) {
        paused_.store(false);
        core_.emit("accept.resumed", {});
    }
}

bool Acceptor::refuseOneWithReserve(Listener& listener) {
    reserve_.reset();
    std::optional<Listener::Accepted> client;
    const bool accepted = listener.accept(client) == Listener::Status::accepted;
    if (accepted) {
        lastAccept_ = Clock::now();
        core_.requests.fetch_add(1);
        core_.refused.fetch_add(1);
        sendBusy(client->descriptor);
        ::close(client->descriptor);
    }
    reserve_ = openReserve();
    return accepted;
}

// ---- leaving the sockets to another process ----------------------------------------------------

void Acceptor::stop() {
    if (isClosing() || stopped_) {
        return;
    }
    stopped_ = true;
    paused_.store(false);
    pauseRetry_.reset();
    watch(EPOLL_CTL_DEL, 0);
}

void Acceptor::resume() {
    if (isClosing() || !stopped_) {
        return;
    }
    stopped_ = false;
    watch(EPOLL_CTL_ADD, EPOLLIN);
}

// ---- closing them ------------------------------------------------------------------------------

void Acceptor::beginClosing() {
    closingSince_ = Clock::now();
    const bool allAreIn = acceptAll();
    // Clients that have just been told "close" connect anew at this very moment.
    const bool arrivals = !allAreIn || core_.expectsArrivals ||
                          (lastAccept_ && *closingSince_ - *lastAccept_ < arrivalsAreRecent);
    if (!stopped_ && arrivals) {
        for (Listener& listener : listeners_) {
            // A Unix socket has no handshakes to wait for, and its line would never look empty to epoll.
            refusing_ = (listener.isLocal() || listener.refuseNewcomers()) && refusing_;
        }
        closeUnlessAwaited();
    } else {
        finishClosing();
    }
}

void Acceptor::closeNow() {
    if (handshakeCheck_) {
        finishClosing();
    }
}

Handshakes Acceptor::handshakes() const {
    Handshakes all = Handshakes::none;
    for (const Listener& listener : listeners_) {
        const Handshakes one = listener.handshakes();
        if (one == Handshakes::underWay || all == Handshakes::none) {
            all = one;
        }
    }
    return all;
}

/// Closes once all handshakes that had begun are through, and all who are in line have got a descriptor.
void Acceptor::closeUnlessAwaited() {
    const bool allAreIn = acceptAll();
    const Handshakes found = handshakes();
    const Duration longest = !allAreIn                                     ? longestHandshake
                             : found == Handshakes::none                   ? Duration::zero()
                             : found == Handshakes::underWay && refusing_ ? longestHandshake
                                                                           : blindHandshake;
    const Duration waited = Clock::now() - *closingSince_;
    if (waited < longest) {
        handshakeCheck_ = Clock::now() + std::max(handshakeStep, waited / 8);
    } else {
        finishClosing();
    }
}

void Acceptor::finishClosing() {
    handshakeCheck_.reset();
    pauseRetry_.reset();
    if (!stopped_) {
        for (Listener& listener : listeners_) {
            static_cast<void>(listener.refuseNewcomers());  // who came behind the last accept would be reset
        }
    }
    acceptAll();
    close();
    core_.gate.close();
    core_.emit("listener.closed", {});
    core_.listenerClosed.cancel("listener closed");
}

void Acceptor::close() {
    // Closing our descriptor of a socket that another process holds, too, would not take it out of epoll.
    if (!stopped_ && listeners_.front().isOpen()) {
        watch(EPOLL_CTL_DEL, 0);
    }
    for (Listener& listener : listeners_) {
        listener.close();
    }
}

// ---- time --------------------------------------------------------------------------------------

std::optional<TimePoint> Acceptor::nextStep() const {
    return handshakeCheck_ && pauseRetry_ ? std::min(handshakeCheck_, pauseRetry_)
           : handshakeCheck_              ? handshakeCheck_
                                          : pauseRetry_;
}

void Acceptor::step(TimePoint now) {
    if (pauseRetry_ && *pauseRetry_ <= now) {
        retry();
    }
    if (handshakeCheck_ && *handshakeCheck_ <= now) {
        closeUnlessAwaited();
    }
}

}  // namespace lifecycle::http
