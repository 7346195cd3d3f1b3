#include "http/connection.h"

namespace lifecycle::http {
namespace {

/// Poco offers the constructor from an implementation to derived classes only.
class AdoptedSocket : public Poco::Net::StreamSocket {
public:
    explicit AdoptedSocket(ConnectionSocket* socket) : StreamSocket(socket) {}
};

}  // namespace

Connection::Connection(std::uint64_t id, int descriptor, const Poco::Net::SocketAddress& peer,
                       Duration ioTimeout, Gate::Guard guard)
    : guard_(std::move(guard)),
      id_(id),
      peer_(peer.toString()),
      socket_(*new ConnectionSocket(descriptor, peer, ioTimeout)),
      stream_(AdoptedSocket(&socket_)),
      since_(Clock::now()),
      quietSince_(since_) {}

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
}

void Connection::staysQuiet() {
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

bool Connection::beginRequest(const std::string& method, const std::string& path) {
    const std::lock_guard lock(mutex_);
    method_ = method;
    path_ = path;
    state_ = ConnectionState::handling;
    endsWithConnection_ = false;
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

bool Connection::cut() {
    const std::lock_guard lock(mutex_);
    if (cut_) {
        return false;
    }
    cut_ = true;
    const bool request = state_ == ConnectionState::handling || state_ == ConnectionState::writing ||
                         (state_ == ConnectionState::queued && socket_.requestIsWaiting());
    shutDown();
    return request;
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
