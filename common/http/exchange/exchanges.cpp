#include "http/exchange/exchanges.h"

#include <exception>
#include <utility>

#include "http/exchange/service.h"

namespace lifecycle::http {
namespace {

thread_local const Service* serving = nullptr;

/// While it lives this thread serves a request.
class Serving {
public:
    explicit Serving(const Service& service) : before_(std::exchange(serving, &service)) {}
    ~Serving() { serving = before_; }

    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;

private:
    const Service* const before_;
};

}  // namespace

bool Exchanges::isHere(const Service& service) {
    return serving == &service;
}

Outcome Exchanges::serve(Connection& connection) noexcept {
    const Serving here(service_);
    for (;;) {
        bool more = false;
        const Outcome outcome = serveNext(connection, more);
        if (!more) {
            return outcome;
        }
    }
}

/// `more`: the client did not wait for its last response, more of its bytes have been received already.
Outcome Exchanges::serveNext(Connection& connection, bool& more) {
    if (!connection.beginReading(Clock::now())) {
        return Outcome::close;
    }
    ConnectionSocket& socket = connection.socket();
    const Arrival arrival = socket.receiveHead();
    const bool tooLate = connection.isExpired() && (arrival != Arrival::whole || socket.head().bodyLength() != 0);
    if (arrival == Arrival::nothing || tooLate) {
        connection.revertToIdle();
    }
    if (arrival == Arrival::end || tooLate) {
        return Outcome::close;
    }
    if (arrival == Arrival::nothing || arrival == Arrival::part) {
        return Outcome::keepAlive;
    }
    if (arrival == Arrival::noMemory) {
        return shed(service_, connection, "no memory left");
    }

    Outcome outcome = Outcome::close;
    try {
        if (!session_) {
            session_.emplace(service_.params);
        }
        session_->attach(connection);
    } catch (const std::exception&) {
        return shed(service_, connection, "no memory left");
    }
    Exchange exchange(service_, connection, *session_);
    outcome = arrival == Arrival::whole ? exchange.run() : exchange.reject();
    try {
        session_->detach();
    } catch (const std::exception&) {
        session_.reset();
        return Outcome::close;
    }
    if (outcome == Outcome::close && socket.hasInput()) {
        outcome = Outcome::linger;  // Closing over what it has sent would reset it.
    }
    more = outcome == Outcome::keepAlive && socket.holdsBytes();
    return outcome;
}

}  // namespace lifecycle::http
