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

Disposition Exchanges::serve(Connection& connection) noexcept {
    const Serving here(service_);
    for (;;) {
        bool more = false;
        const Disposition disposition = serveNext(connection, more);
        if (!more) {
            return disposition;
        }
    }
}

/// `more`: the client did not wait for its last response, more of its bytes have been received already.
Disposition Exchanges::serveNext(Connection& connection, bool& more) {
    if (!connection.beginReading(Clock::now())) {
        return Disposition::close;
    }
    ConnectionSocket& socket = connection.socket();
    const Arrival arrival = socket.receiveHead();
    const bool tooLate = connection.isExpired() && (arrival != Arrival::whole || socket.head().bodyLength() != 0);
    if (arrival == Arrival::nothing || tooLate) {
        connection.revertToIdle();
    }
    if (arrival == Arrival::end || tooLate) {
        return Disposition::close;
    }
    if (arrival == Arrival::nothing || arrival == Arrival::part) {
        return Disposition::keepAlive;
    }
    if (arrival == Arrival::noMemory) {
        return shed(service_, connection, "no memory left");
    }

    Disposition disposition = Disposition::close;
    try {
        if (!session_) {
            session_.emplace(service_.params);
        }
        session_->attach(connection);
    } catch (const std::exception&) {
        return shed(service_, connection, "no memory left");
    }
    Exchange exchange(service_, connection, *session_);
    disposition = arrival == Arrival::whole ? exchange.run() : exchange.reject();
    try {
        session_->detach();
    } catch (const std::exception&) {
        session_.reset();
        return Disposition::close;
    }
    if (disposition == Disposition::close && socket.hasInput()) {
        disposition = Disposition::linger;  // Closing over what it has sent would reset it.
    }
    more = disposition == Disposition::keepAlive && socket.holdsBytes();
    return disposition;
}

}  // namespace lifecycle::http
