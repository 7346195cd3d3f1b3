#include "http/exchange/connection.h"

#include <sys/socket.h>

#include <new>
#include <utility>

namespace lifecycle::http {
namespace {

/// Poco offers the constructor from an implementation to derived classes only.
class AdoptedSocket : public Poco::Net::StreamSocket {
public:
    explicit AdoptedSocket(ConnectionSocket* socket) : StreamSocket(socket) {}
};

/// The constructor throws, or it owns the descriptor: never both.
ConnectionSocket* adopt(FileDescriptor& descriptor, const Poco::Net::SocketAddress& peer, Duration ioTimeout) {
    auto* const socket = new ConnectionSocket(descriptor.get(), peer, ioTimeout);
    static_cast<void>(descriptor.release());
    return socket;
}

bool isArriving(ConnectionState state) {
    return state == ConnectionState::queued || state == ConnectionState::reading;
}

}  // namespace

Poco::Net::StreamSocket noConnection() {
    return AdoptedSocket(new ConnectionSocket(-1, {}, Duration::zero()));
}

Connection::Connection(std::uint64_t id, FileDescriptor& descriptor, const Poco::Net::SocketAddress& peer,
                       Duration ioTimeout, Gate::Guard guard)
    : guard_(std::move(guard)),
      id_(id),
      peer_(peer.toString()),
      socket_(*adopt(descriptor, peer, ioTimeout)),
      stream_(AdoptedSocket(&socket_)),
      since_(Clock::now()),
      quietSince_(since_) {}

ConnectionInfo Connection::info() const {
    const std::lock_guard lock(mutex_);
    return {id_, state_, method_, path_, peer_, Clock::now() - since_};
}

ConnectionState Connection::state() const {
    const std::lock_guard lock(mutex_);
    return state_;
}

Connection::Timing Connection::timing() const {
    const std::lock_guard lock(mutex_);
    return {state_, since_, lastInput_};
}

/// A request keeps its age while it waits for a thread and for the rest of its head.
void Connection::startArriving(ConnectionState state, TimePoint now) {
    if (!isArriving(state_)) {
        quietState_ = state_;
        quietSince_ = since_;
        since_ = now;
    }
    state_ = state;
    parsing_ = false;
}

void Connection::becomeQueued(TimePoint now) {
    const std::lock_guard lock(mutex_);
    startArriving(ConnectionState::queued, now);
}

bool Connection::beginReading(TimePoint now) {
    const std::lock_guard lock(mutex_);
    startArriving(ConnectionState::reading, now);
    return !cut_;
}

void Connection::revertToIdle() {
    const std::lock_guard lock(mutex_);
    state_ = quietState_;
    since_ = quietSince_;
}

void Connection::beginParsing(TimePoint now) {
    const std::lock_guard lock(mutex_);
    state_ = ConnectionState::reading;
    since_ = now;
    parsing_ = true;
}

bool Connection::beginRequest(const std::string& method, const std::string& path, bool hasBody) {
    const std::lock_guard lock(mutex_);
    method_ = method;
    path_ = path;
    state_ = ConnectionState::handling;
    endsWithConnection_ = false;
    closedByGrace_ = false;
    hasBody_ = hasBody;
    return !cut_;
}

void Connection::beginResponse(bool endsWithConnection) {
    const std::lock_guard lock(mutex_);
    state_ = ConnectionState::writing;  // since_ stays: a request keeps its age
    endsWithConnection_ = endsWithConnection;
}

bool Connection::endRequest(TimePoint now, std::atomic<std::uint64_t>& served, bool takenOver) {
    const std::lock_guard lock(mutex_);
    // Under the lock: whoever cuts later and then reads the numbers finds it there.
    served += cut_ ? 0 : 1;
    state_ = takenOver ? state_ : ConnectionState::idle;
    since_ = now;
    method_.clear();
    path_.clear();
    return !cut_;
}

bool Connection::beginShedding() {
    const std::lock_guard lock(mutex_);
    state_ = ConnectionState::closing;
    since_ = lastInput_ = Clock::now();
    return !cut_;
}

void Connection::beginLingering(TimePoint now) {
    const std::lock_guard lock(mutex_);
    state_ = ConnectionState::closing;
    since_ = lastInput_ = now;
}

void Connection::noteInput(TimePoint now) {
    const std::lock_guard lock(mutex_);
    lastInput_ = now;
}

bool Connection::expire(const Timing& seen, bool byGrace) {
    const std::lock_guard lock(mutex_);
    if (state_ != seen.state || since_ != seen.since) {
        return false;  // A request is arriving at this very moment.
    }
    const bool lingers = state_ == ConnectionState::closing;
    const bool waits = lingers || isIdle(state_) || (state_ == ConnectionState::reading && !parsing_);
    if (!waits || (!lingers && socket_.hasInput())) {
        return false;
    }
    closedByGrace_ = byGrace && isIdle(state_);
    expired_ = true;
    socket_.endReceiving();
    return true;
}

bool Connection::isClosedByGrace() const {
    const std::lock_guard lock(mutex_);
    return closedByGrace_;
}

unsigned Connection::cut() {
    const std::lock_guard lock(mutex_);
    if (cut_) {
        return 0;
    }
    cut_ = true;
    shutDown();  // first, so that no thread waits for more on it
    return countRequests();
}

bool Connection::isCut() const {
    const std::lock_guard lock(mutex_);
    return cut_;
}

unsigned Connection::countRequests() noexcept {
    switch (state_) {
        case ConnectionState::handling:
        case ConnectionState::writing:
            // The client may have its response already, and have sent the next request.
            return 1 + (hasBody_ ? 0 : countWaiting());
        case ConnectionState::closing:
            return 0;
        case ConnectionState::reading:
            return parsing_ ? 1 : countWaiting();
        case ConnectionState::fresh:
        case ConnectionState::queued:
        case ConnectionState::idle:
            return countWaiting();
    }
    return 0;
}

unsigned Connection::countWaiting() noexcept try {
    return socket_.requestIsWaiting() ? 1 : 0;
} catch (const std::bad_alloc&) {
    return 1;  // Unknown: rather count one too many.
}

void Connection::abort() {
    const std::lock_guard lock(mutex_);
    shutDown();
}

void Connection::shutDown() {
    if (endsWithConnection_ && state_ == ConnectionState::writing) {
        socket_.reset();
    } else {
        socket_.cut();
    }
}

}  // namespace lifecycle::http
