#include "http/loop/register.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <Poco/Net/SocketAddress.h>

namespace lifecycle::http {
namespace {

/// How long a client that is still sending may continue after it got its response, and pause meanwhile: as nginx's
/// lingering_time and lingering_timeout.
constexpr Duration lingerTime = std::chrono::seconds(30);
constexpr Duration lingerPause = std::chrono::seconds(5);

/// The same in a shutdown: the response has been sent, and nobody needs what the client still sends.
constexpr Duration lingerTimeAtEnd = std::chrono::seconds(1);

/// And in a shutdown while others wait for its descriptor.
constexpr Duration lingerTimeForOthers = std::chrono::milliseconds(100);

/// How many idle connections may be closed at the same moment: their clients reconnect, to another server.
constexpr std::size_t maxClosedAtOnce = 64;

/// A request that has arrived at the limit is taken soon; if it was none, the limit still holds.
constexpr Duration lookAgain = std::chrono::milliseconds(10);

}  // namespace

Admitted* Register::admit(Listener::Accepted& client) {
    std::optional<Gate::Guard> guard = gate_.tryEnter();
    if (!guard) {
        return nullptr;
    }
    const Poco::Net::SocketAddress peer(reinterpret_cast<const sockaddr*>(&client.peer), client.peerLength);
    ConnectionsByTime one;  // a node is made without the lock
    const auto place = one.emplace(TimePoint(), nullptr);
    const std::lock_guard lock(mutex_);
    if (allAreCut_) {
        return nullptr;
    }
    place->second = std::make_unique<Admitted>(++lastId_, client.descriptor, peer, options_.ioTimeout,
                                               std::move(*guard));
    Admitted& admitted = *place->second;
    file(one.extract(place), nextLook(admitted, Clock::now()));
    return &admitted;
}

void Register::finish(Admitted& connection) {
    connection.socket().close();
    drop(connection);
}

void Register::forget(Admitted& connection) {
    drop(connection);
}

void Register::drop(Admitted& connection) {
    ConnectionsByTime::node_type node;
    const std::lock_guard lock(mutex_);
    node = connections_.extract(connection.place);
    if (connections_.empty() && endBegan_) {
        emptyAfter_ = Clock::now() - *endBegan_;
    }
    // The record, and with it perhaps the last guard of the gate, goes after the lock.
}

std::uint64_t Register::cutAll() {
    std::uint64_t count = 0;
    // Under the lock throughout, as a list of them would need memory.
    const std::lock_guard lock(mutex_);
    allAreCut_ = true;
    for (const auto& [time, connection] : connections_) {
        count += connection->cut();
    }
    return count;
}

std::vector<ConnectionInfo> Register::connections() const {
    std::vector<ConnectionInfo> all;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [time, connection] : connections_) {
            all.push_back(connection->info());
        }
    }
    std::sort(all.begin(), all.end(), [](const ConnectionInfo& a, const ConnectionInfo& b) {
        return std::pair(!a.inFlight(), -a.age.count()) < std::pair(!b.inFlight(), -b.age.count());
    });
    return all;
}

std::uint64_t Register::countInFlight() const noexcept {
    std::uint64_t count = 0;
    ConnectionInfo seen;
    const std::lock_guard lock(mutex_);
    for (const auto& [time, connection] : connections_) {
        seen.state = connection->state();
        count += seen.inFlight() ? 1 : 0;
    }
    return count;
}

void Register::beginEnd() {
    const std::lock_guard lock(mutex_);
    if (!endBegan_) {
        endBegan_ = Clock::now();
    }
}

void Register::cancelEnd() {
    const std::lock_guard lock(mutex_);
    endBegan_.reset();
    emptyAfter_ = Duration::zero();
}

// ---- time limits -------------------------------------------------------------------------------

/// When its time is over if it goes on doing what it does.
TimePoint Register::limitOf(const Admitted& connection) const {
    const auto [state, since, lastInput] = connection.timing();
    switch (state) {
        case ConnectionState::queued:
        case ConnectionState::handling:
        case ConnectionState::writing:
            return TimePoint::max();
        case ConnectionState::reading:
            return addSaturated(since, options_.ioTimeout);
        case ConnectionState::closing: {
            const TimePoint end = std::min(since + lingerTime, lastInput + lingerPause);
            return !graceBegin_ ? end
                                : std::min(end, std::max(since, *graceBegin_) +
                                                    (hurried_ ? lingerTimeForOthers : lingerTimeAtEnd));
        }
        case ConnectionState::fresh:
        case ConnectionState::idle:
            break;
    }
    const TimePoint end = addSaturated(
        since, state == ConnectionState::idle ? options_.keepAliveTimeout : options_.ioTimeout);
    if (!graceBegin_) {
        return end;
    }
    const TimePoint grace = addSaturated(std::max(since, *graceBegin_), options_.keepAliveGrace);
    return std::min(end, since <= *graceBegin_ ? grace - connection.earlier : grace);
}

/// No later than its limit, even if a request begins or ends right now.
TimePoint Register::nextLook(const Admitted& connection, TimePoint now) const {
    Duration shortest = options_.ioTimeout;
    if (options_.keepAliveTimeout > Duration::zero()) {
        shortest = std::min(shortest, options_.keepAliveTimeout);
    }
    return std::min(limitOf(connection), addSaturated(now, std::max<Duration>(shortest, lookAgain)));
}

void Register::file(ConnectionsByTime::node_type node, TimePoint moment) {
    node.key() = moment;
    Admitted& connection = *node.mapped();
    connection.place = connections_.insert(std::move(node));
}

bool Register::adjust(Admitted& connection) {
    const std::lock_guard lock(mutex_);
    const TimePoint moment = nextLook(connection, Clock::now());
    file(connections_.extract(connection.place), moment);
    return moment < firesAt_;
}

std::optional<TimePoint> Register::fireLimits() {
    const std::lock_guard lock(mutex_);
    const TimePoint now = Clock::now();
    while (!connections_.empty() && connections_.begin()->first <= now) {
        Admitted& connection = *connections_.begin()->second;
        const Connection::Timing seen = connection.timing();
        TimePoint next = nextLook(connection, now);
        if (next <= now) {
            next = connection.expire(seen, graceBegin_.has_value()) ? TimePoint::max() : now + lookAgain;
        }
        file(connections_.extract(connections_.begin()), next);
    }
    firesAt_ = connections_.empty() ? TimePoint::max() : connections_.begin()->first;
    return firesAt_ == TimePoint::max() ? std::nullopt : std::optional(firesAt_);
}

void Register::beginGrace() {
    const std::lock_guard lock(mutex_);
    if (graceBegin_) {
        return;
    }
    // First by their present limits, which puts the longest idle first.
    const TimePoint now = Clock::now();
    std::size_t idle = 0;
    ConnectionsByTime before = std::move(connections_);
    connections_.clear();
    while (!before.empty()) {
        const Admitted& connection = *before.begin()->second;
        idle += isIdle(connection.state()) ? 1 : 0;
        file(before.extract(before.begin()), limitOf(connection));
    }
    graceBegin_ = now;
    inGrace_ = true;
    std::size_t later = idle;
    before = std::move(connections_);
    connections_.clear();
    while (!before.empty()) {
        Admitted& connection = *before.begin()->second;
        connection.earlier = Duration::zero();
        if (idle > maxClosedAtOnce && later > 0 && isIdle(connection.state())) {
            const double share = static_cast<double>(--later) / static_cast<double>(idle);
            connection.earlier = std::chrono::duration_cast<Duration>(share / 2 * options_.keepAliveGrace);
        }
        file(before.extract(before.begin()), nextLook(connection, now));
    }
    firesAt_ = TimePoint();  // it has to be called now
}

void Register::endGrace() {
    const std::lock_guard lock(mutex_);
    graceBegin_.reset();
    inGrace_ = false;
    // Those who were about to be closed early are looked at early, and stay.
}

}  // namespace lifecycle::http
