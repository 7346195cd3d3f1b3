#include "http/connection_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "http/refusal.h"
#include "http/server_core.h"
#include "quiet_thread.h"

namespace lifecycle::http {
namespace {

/// How long a client that is still sending may continue after it got its response, and pause meanwhile: as nginx's
/// lingering_time and lingering_timeout.
constexpr Duration lingerTime = std::chrono::seconds(30);
constexpr Duration lingerPause = std::chrono::seconds(5);

/// The same in a shutdown: the response is on its way, and what is still sent is of no use.
constexpr Duration lingerTimeAtEnd = std::chrono::seconds(1);

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
                [this](Listener::Accepted client) { welcome(std::move(client)); }) {
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
            requests_.parked.push_back(std::move(connection));
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
        requests_.closeListeners = true;
    }
    wake();
}

void ConnectionLoop::closeListenersNow() {
    {
        const std::lock_guard lock(mutex_);
        requests_.closeListeners = true;
        requests_.closeNow = true;
    }
    wake();
}

void ConnectionLoop::setAccepting(bool accepting) {
    const CancelableContext taken = withCancel(Context::background());
    {
        const std::lock_guard lock(mutex_);
        if (stopped_) {
            return;
        }
        requests_.accepting = accepting;
        requests_.whenTaken.push_back(taken.cancel);
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
        requests_.stop = true;
    }
    wake();
    if (thread_.joinable()) {
        thread_.join();
    }
    for (const CancelFunction& taken : requests_.whenTaken) {
        taken();
    }
    requests_.whenTaken.clear();
    for (ConnectionPtr& connection : requests_.parked) {
        core_.finish(std::move(connection));
    }
    requests_.parked.clear();
    while (!parked_.empty()) {
        core_.finish(unpark(*parked_.begin()->first));
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
            void* source = events[static_cast<std::size_t>(i)].data.ptr;
            if (source == nullptr) {
                eventfd_t ignored;
                ::eventfd_read(wake_.get(), &ignored);
                acceptor_.retry();
            } else if (acceptor_.owns(source)) {
                acceptor_.acceptAll();
            } else {
                readable(*static_cast<Connection*>(source));
            }
        }
        if (!takeRequests()) {
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

bool ConnectionLoop::takeRequests() {
    Requests requests;
    {
        const std::lock_guard lock(mutex_);
        if (requests_.stop) {
            return false;  // stop() takes care of the rest
        }
        requests = std::exchange(requests_, {});
    }
    for (ConnectionPtr& connection : requests.parked) {
        watch(std::move(connection));
    }
    if (requests.accepting && !acceptor_.isClosing()) {
        take(*requests.accepting);
    }
    for (const CancelFunction& taken : requests.whenTaken) {
        taken();
    }
    if (requests.closeListeners && !acceptor_.isClosing()) {
        core_.closing = true;  // again: an acceptor that was just resumed has taken it back
        core_.beginEnd();
        beginGrace();
        acceptor_.beginClosing();
    }
    if (requests.closeNow) {
        acceptor_.closeNow();
    }
    return true;
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
            const ConnectionState state = connection.state();
            const bool quiet = state == ConnectionState::idle || state == ConnectionState::fresh;
            core_.idleClosed += graceBegin_ && quiet ? 1 : 0;
            core_.finish(unpark(connection));
        }
    }
}

// ---- accepting ---------------------------------------------------------------------------------

void ConnectionLoop::welcome(Listener::Accepted client) {
    ConnectionPtr connection = core_.admit(std::move(client));
    // A thread that is free anyway waits a moment for the first bytes, which spares a trip through
    // epoll; a new thread is only started for bytes that are there.
    if (connection && !core_.workers->submitToIdle({core_.shared_from_this(), connection})) {
        watch(std::move(connection));
    }
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

void ConnectionLoop::setLimits() {
    for (auto& [connection, parked] : parked_) {
        setLimit(parked);
    }
}

void ConnectionLoop::setLimit(Parked& parked) {
    Connection* const connection = parked.connection.get();
    limits_.erase(parked.limit);
    parked.limit = limits_.emplace(limitFor(*connection), connection);
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
                                      lingers ? lingerTimeAtEnd : core_.options.keepAliveGrace));
}

void ConnectionLoop::watch(ConnectionPtr connection) {
    Connection* key = connection.get();
    const auto limit = limits_.emplace(limitFor(*key), key);
    parked_.emplace(key, Parked{std::move(connection), limit});
    arm(*key);
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
    auto parked = parked_.extract(&connection);
    limits_.erase(parked.mapped().limit);
    return std::move(parked.mapped().connection);
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
        setLimit(parked_.at(&connection));
        arm(connection);
    } else {
        core_.finish(unpark(connection));
    }
}

void ConnectionLoop::dispatch(ConnectionPtr connection) {
    connection->become(ConnectionState::queued);
    if (!core_.workers->submit({core_.shared_from_this(), connection})) {
        refuse(std::move(connection));
    }
}

void ConnectionLoop::refuse(ConnectionPtr connection) {
    if (!connection->beginRefusal()) {
        core_.finish(std::move(connection));  // Counted as cut.
        return;
    }
    core_.requests.fetch_add(1);
    core_.refused.fetch_add(1);
    core_.emit("request.refused", {{"status", 503}, {"peer", connection->peer()}, {"note", "the queue is full"}});
    sendBusy(connection->socket().sockfd());
    watch(std::move(connection));
}

}  // namespace lifecycle::http
