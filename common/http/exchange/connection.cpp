#include "http/exchange/connection.h"

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

Limits::node_type allocateNode() {
    Limits limits;
    limits.emplace(TimePoint(), nullptr);
    return limits.extract(limits.begin());
}

}  // namespace

Connection::Connection(std::uint64_t id, FileDescriptor& descriptor, const Poco::Net::SocketAddress& peer,
                       Duration ioTimeout, Gate::Guard guard)
    : guard_(std::move(guard)),
      id_(id),
      peer_(peer.toString()),
      socket_(*adopt(descriptor, peer, ioTimeout)),
      stream_(AdoptedSocket(&socket_)),
      since_(Clock::now()),
      quietSince_(since_),
      unparked_(allocateNode()) {}

ConnectionState Connection::state() const {
    const std::lock_guard lock(mutex_);
    return state_;
}

TimePoint Connection::since() const {
    const std::lock_guard lock(mutex_);
    return since_;
}

void Connection::become(ConnectionState state, TimePoint now) {
    const std::lock_guard lock(mutex_);
    // A request keeps its age while it waits for a thread and for the rest of its header.
    const auto isArriving = [](ConnectionState one) {
        return one == ConnectionState::queued || one == ConnectionState::reading;
    };
    if (state == ConnectionState::queued && !isArriving(state_)) {
        quietState_ = state_;
        quietSince_ = since_;
    }
    if (!isArriving(state_) || !isArriving(state)) {
        since_ = now;
    }
    state_ = state;
    parsing_ = false;
}

void Connection::beginParsing(TimePoint now) {
    const std::lock_guard lock(mutex_);
    state_ = ConnectionState::reading;
    since_ = now;
    parsing_ = true;
}

void Connection::revertToIdle() {
    const std::lock_guard lock(mutex_);
    state_ = quietState_;
    since_ = quietSince_;
}

bool Connection::beginRefusal() {
    const std::lock_guard lock(mutex_);
    state_ = ConnectionState::closing;
    since_ = Clock::now();
    return !cut_;
}

bool Connection::beginRequest(const std::string& method, const std::string& path, bool hasBody) {
    const std::lock_guard lock(mutex_);
    method_ = method;
    path_ = path;
    state_ = ConnectionState::handling;
    endsWithConnection_ = false;
    hasBody_ = hasBody;
    return !cut_;
}

void Connection::beginAnswer(bool endsWithConnection) {
    const std::lock_guard lock(mutex_);
    state_ = ConnectionState::writing;  // since_ stays: a request keeps its age
    endsWithConnection_ = endsWithConnection;
}

bool Connection::endRequest(TimePoint now, std::atomic<std::uint64_t>& served) {
    const std::lock_guard lock(mutex_);
    // Under the lock: whoever cuts later and then reads the numbers finds it there.
    served += cut_ ? 0 : 1;
    state_ = ConnectionState::idle;
    since_ = now;
    method_.clear();
    path_.clear();
    return !cut_;
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

void Connection::breakOff() {
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

ConnectionInfo Connection::info() const {
    const std::lock_guard lock(mutex_);
    return {id_, state_, method_, path_, peer_, Clock::now() - since_};
}

}  // namespace lifecycle::http
