#include "http/loop/connection_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include "http/exchange/refusal.h"
#include "http/loop/server_core.h"
#include "core/quiet_thread.h"

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

bool isIdle(const Connection& connection) {
    const ConnectionState state = connection.state();
    return state == ConnectionState::idle || state == ConnectionState::fresh;
}

int checked(int result, const char* what) {
    if (result == -1) {
        throw std::system_error(errno, std::generic_category(), what);
    }
    return result;
}

}  // namespace

ConnectionLoop::ConnectionLoop(ServerCore& core, std::vector<Listener> listeners)
    : core_(core),
      epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
      acceptor_(core, std::move(listeners), epoll_.get(),
                [this](Listener::Accepted client) { serve(std::move(client)); },
                [this](Listener::Accepted client) { shed(std::move(client)); }) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;
    checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event), "epoll_ctl");
}

ConnectionLoop::~ConnectionLoop() {
    stop();
}

// ---- called from every thread ------------------------------------------------------------------

void ConnectionLoop::start() {
    thread_ = detail::startQuietThread("http-loop", [this] { run(); });
}

void ConnectionLoop::park(ConnectionPtr connection) {
    {
        const std::lock_guard lock(mutex_);
        if (!stopped_) {
            Connection& last = *connection;
            last.nextToPark_ = std::exchange(commands_.parked, std::move(connection));
        }
    }
    if (connection) {
        core_.finish(std::move(connection));  // The loop has ended.
        return;
    }
    wake();
}

void ConnectionLoop::lingeringClose(ConnectionPtr connection) {
    connection->become(ConnectionState::closing);
    ::shutdown(connection->socket().sockfd(), SHUT_WR);
    park(std::move(connection));
}

void ConnectionLoop::closeListeners() {
    {
        const std::lock_guard lock(mutex_);
        commands_.closeListeners = true;
    }
    wake();
}

void ConnectionLoop::closeListenersNow() {
    acceptor_.hurry();
    wake();
}

void ConnectionLoop::setAccepting(bool accepting) {
    const CancelableContext taken = withCancel(Context::background());
    {
        const std::lock_guard lock(mutex_);
        if (stopped_) {
            return;
        }
        commands_.accepting = accepting;
        commands_.whenTaken.push_back(taken.cancel);
    }
    wake();
    taken.context.wait();
}

void ConnectionLoop::descriptorFreed() {
    if (acceptor_.isPaused()) {
        wake();
    }
}

void ConnectionLoop::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        commands_.stop = true;
    }
    wake();
    if (thread_.joinable()) {
        thread_.join();
    }
    for (const CancelFunction& taken : commands_.whenTaken) {
        taken();
    }
    commands_.whenTaken.clear();
    for (ConnectionPtr next = std::move(commands_.parked); next != nullptr;) {
        ConnectionPtr connection = std::exchange(next, std::move(next->nextToPark_));
        core_.finish(std::move(connection));
    }
    while (!limits_.empty()) {
        core_.finish(unpark(*limits_.begin()->second));
    }
    acceptor_.close();
}

void ConnectionLoop::wake() {
    ::eventfd_write(wake_.get(), 1);
}

// ---- the thread --------------------------------------------------------------------------------

void ConnectionLoop::run() {
    std::array<epoll_event, 256> events;
    for (;;) {
        const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                       millisecondsToNextLimit());
        for (int i = 0; i < count; ++i) {
            if (acceptor_.isHurried()) {
                beginClosing();
            }
            void* source = events[static_cast<std::size_t>(i)].data.ptr;
            if (source == nullptr) {
                eventfd_t ignored;
                ::eventfd_read(wake_.get(), &ignored);
                acceptor_.retry();
            } else if (acceptor_.owns(source)) {
                acceptor_.accept();
            } else {
                readable(*static_cast<Connection*>(source));
            }
        }
        if (!takeCommands()) {
            return;
        }
        expire(Clock::now());
    }
}

int ConnectionLoop::millisecondsToNextLimit() const {
    std::optional<TimePoint> next;
    const auto consider = [&next](const std::optional<TimePoint>& limit) {
        if (limit && (!next || *limit < *next)) {
            next = limit;
        }
    };
    if (!limits_.empty()) {
        consider(limits_.begin()->first);
    }
    consider(acceptor_.nextStep());
    if (!next) {
        return -1;
    }
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now()).count();
    return static_cast<int>(std::clamp<long long>(rest, 0, 1'000'000));
}

bool ConnectionLoop::takeCommands() {
    Commands commands;
    {
        const std::lock_guard lock(mutex_);
        if (commands_.stop) {
            return false;  // stop() takes care of the rest
        }
        commands = std::exchange(commands_, {});
    }
    for (ConnectionPtr next = std::move(commands.parked); next != nullptr;) {
        ConnectionPtr connection = std::exchange(next, std::move(next->nextToPark_));
        watch(std::move(connection));
    }
    if (commands.accepting && !acceptor_.isClosing()) {
        take(*commands.accepting);
    }
    for (const CancelFunction& taken : commands.whenTaken) {
        taken();
    }
    if (commands.closeListeners || acceptor_.isHurried()) {
        beginClosing();
    }
    return true;
}

void ConnectionLoop::beginClosing() {
    if (!acceptor_.isClosing()) {
        core_.closing = true;  // again: an acceptor that was just resumed has taken it back
        core_.beginEnd();
        beginGrace();
        acceptor_.beginClosing();
    }
    if (acceptor_.isHurried()) {
        acceptor_.closeNow();
    }
}

void ConnectionLoop::expire(TimePoint now) {
    acceptor_.step(now);
    while (!limits_.empty() && limits_.begin()->first <= now) {
        Connection& connection = *limits_.begin()->second;
        // Its event, not yet fetched, must not come any more: closing would not prevent that while a
        // child process that is being started holds a copy of the descriptor.
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.socket().sockfd(), nullptr);
        char byte;
        const bool inTime = connection.state() != ConnectionState::closing &&
                            ::recv(connection.socket().sockfd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
        if (inTime) {
            dispatch(unpark(connection));
        } else {
            core_.idleClosed += graceBegin_ && isIdle(connection) ? 1 : 0;
            core_.finish(unpark(connection));
        }
    }
}

// ---- accepting ---------------------------------------------------------------------------------

void ConnectionLoop::serve(Listener::Accepted client) {
    ConnectionPtr connection = admit(client);
    // A thread that is free anyway waits a moment for the first bytes, which spares a trip through
    // epoll; a new thread is only started for bytes that are there.
    if (connection && !core_.workers->submitToIdle({core_.shared_from_this(), connection})) {
        watch(std::move(connection));
    }
}

void ConnectionLoop::shed(Listener::Accepted client) {
    if (ConnectionPtr connection = admit(client)) {
        shed(std::move(connection), "no descriptor left");
    }
}

ConnectionPtr ConnectionLoop::admit(Listener::Accepted& client) noexcept try {
    return core_.admit(client);
} catch (const std::bad_alloc&) {
    core_.shed(client.descriptor.get(), "unknown", "no memory left");
    return nullptr;
}

void ConnectionLoop::take(bool accepting) {
    if (accepting) {
        core_.cancelEnd();
        endGrace();
        acceptor_.resume();
    } else {
        acceptor_.stop();
        core_.beginEnd();
        beginGrace();
    }
}

void ConnectionLoop::beginGrace() {
    if (!graceBegin_) {
        graceBegin_ = Clock::now();
        setLimits();
    }
}

void ConnectionLoop::endGrace() {
    graceBegin_.reset();
    setLimits();
}

/// Moves nodes, so that it needs no memory. With many idle connections their graces end one after the other
/// within the second half, the longest idle first, so that their clients do not all reconnect at once.
void ConnectionLoop::setLimits() {
    const auto idle = static_cast<std::size_t>(
        std::count_if(limits_.begin(), limits_.end(), [](const auto& entry) { return isIdle(*entry.second); }));
    const bool spread = graceBegin_ && idle > maxClosedAtOnce;
    std::size_t later = idle;
    Limits before = std::move(limits_);
    limits_.clear();
    while (!before.empty()) {
        auto node = before.extract(before.begin());
        Connection& connection = *node.mapped();
        node.key() = limitFor(connection);
        if (spread && isIdle(connection)) {
            const double share = static_cast<double>(--later) / static_cast<double>(idle);
            node.key() -= std::chrono::duration_cast<Duration>(share / 2 * core_.options.keepAliveGrace);
        }
        connection.parked_ = limits_.insert(std::move(node));
    }
}

void ConnectionLoop::setLimit(Connection& connection) {
    Limits::node_type node = limits_.extract(connection.parked_);
    node.key() = limitFor(connection);
    connection.parked_ = limits_.insert(std::move(node));
}

// ---- connections without a request -------------------------------------------------------------

TimePoint ConnectionLoop::limitFor(const Connection& connection) const {
    const ConnectionState state = connection.state();
    const bool lingers = state == ConnectionState::closing;
    const Duration limit = lingers                           ? lingerTime
                           : state == ConnectionState::idle ? core_.options.keepAliveTimeout
                                                            : core_.options.ioTimeout;
    // Not from now: a worker may have waited for some of that time.
    TimePoint end = addSaturated(connection.since(), limit);
    if (lingers) {
        end = std::min(end, Clock::now() + lingerPause);
    }
    if (!graceBegin_ || state == ConnectionState::reading) {
        return end;
    }
    return std::min(end, addSaturated(std::max(connection.since(), *graceBegin_),
                                      !lingers                    ? core_.options.keepAliveGrace
                                      : acceptor_.reserveIsUsed() ? lingerTimeForOthers
                                                                  : lingerTimeAtEnd));
}

void ConnectionLoop::watch(ConnectionPtr connection) {
    Connection& watched = *connection;
    Limits::node_type node = std::move(watched.unparked_);
    node.key() = limitFor(watched);
    node.mapped() = std::move(connection);
    watched.parked_ = limits_.insert(std::move(node));
    arm(watched);
}

void ConnectionLoop::arm(Connection& connection) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLONESHOT;
    event.data.ptr = &connection;
    const int descriptor = connection.socket().sockfd();
    const bool armed = ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, descriptor, &event) == 0 ||
                       (errno == ENOENT && ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0);
    if (!armed) {
        core_.finish(unpark(connection));  // The kernel has no memory for it.
    }
}

ConnectionPtr ConnectionLoop::unpark(Connection& connection) {
    Limits::node_type node = limits_.extract(connection.parked_);
    ConnectionPtr unparked = std::move(node.mapped());
    connection.unparked_ = std::move(node);
    return unparked;
}

void ConnectionLoop::readable(Connection& connection) {
    if (connection.state() == ConnectionState::closing) {
        linger(connection);
        return;
    }
    char byte;
    const ssize_t seen = ::recv(connection.socket().sockfd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (seen > 0) {
        dispatch(unpark(connection));
    } else if (seen < 0 && (errno == EAGAIN || errno == EINTR)) {
        arm(connection);
    } else {
        core_.finish(unpark(connection));  // The client has closed or reset it.
    }
}

void ConnectionLoop::linger(Connection& connection) {
    if (dropInput(connection.socket().sockfd())) {
        setLimit(connection);
        arm(connection);
    } else {
        core_.finish(unpark(connection));
    }
}

void ConnectionLoop::dispatch(ConnectionPtr connection) {
    connection->become(ConnectionState::queued);
    const char* reason = "the queue is full";
    try {
        if (core_.workers->submit({core_.shared_from_this(), connection})) {
            return;
        }
    } catch (const std::bad_alloc&) {
        reason = "no memory left";
    }
    shed(std::move(connection), reason);
}

void ConnectionLoop::shed(ConnectionPtr connection, const char* reason) {
    if (core_.shed(*connection, reason)) {
        watch(std::move(connection));
    } else {
        core_.finish(std::move(connection));
    }
}

}  // namespace lifecycle::http
