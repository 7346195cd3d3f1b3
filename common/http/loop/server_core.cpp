#include "http/loop/server_core.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <limits>
#include <string>
#include <utility>

#include <Poco/Net/SocketAddress.h>

#include "http/exchange/exchange.h"
#include "http/exchange/refusal.h"

namespace lifecycle::http {
namespace {

/// Empty for less than a second: the field is in whole seconds.
std::string keepAliveHintFor(Duration timeout) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout).count();
    return seconds > 0 && seconds <= std::numeric_limits<std::int32_t>::max() ? "timeout=" + std::to_string(seconds)
                                                                             : "";
}

}  // namespace

ServerCore::ServerCore(Poco::Net::HTTPRequestHandlerFactory::Ptr handlerFactory,
                       HttpServerOptions serverOptions)
    : options(std::move(serverOptions)),
      factory(std::move(handlerFactory)),
      params(new Poco::Net::HTTPServerParams),
      keepAliveHint(keepAliveHintFor(options.keepAliveTimeout)),
      cutting(withCancel(Context::background())),
      listenerClosed(withCancel(Context::background())) {
    // A session sets its socket's receive timeout to this.
    params->setTimeout(std::chrono::duration_cast<std::chrono::microseconds>(options.ioTimeout).count());
}

void ServerCore::announce() {
    if (gate.count() > 0) {
        expectsArrivals = true;
    }
    closing = true;
}

void ServerCore::beginEnd() {
    const std::lock_guard lock(registerMutex_);
    if (!endBegan_) {
        endBegan_ = Clock::now();
    }
}

void ServerCore::cancelEnd() {
    const std::lock_guard lock(registerMutex_);
    endBegan_.reset();
    emptyAfter = Duration::zero();
    answeredWithClose = 0;
    idleClosed = 0;
    expectsArrivals = false;
    closing = false;
}

ConnectionPtr ServerCore::admit(Listener::Accepted& client) {
    std::optional<Gate::Guard> guard = gate.tryEnter();
    if (!guard) {
        return nullptr;
    }
    const Poco::Net::SocketAddress peer(reinterpret_cast<const sockaddr*>(&client.peer), client.peerLength);
    const std::lock_guard lock(registerMutex_);
    if (allAreCut_) {
        return nullptr;
    }
    const std::uint64_t id = nextId_++;
    auto& place = register_[id];
    try {
        place = std::make_shared<Connection>(id, client.descriptor, peer, options.ioTimeout, std::move(*guard));
    } catch (...) {
        register_.erase(id);
        throw;
    }
    return place;
}

void ServerCore::shed(int descriptor, std::string_view peer, const char* reason) noexcept {
    requests.fetch_add(1);
    refused.fetch_add(1);
    emit("request.refused", {{"status", 503}, {"peer", peer}, {"note", reason}});
    sendBusy(descriptor);
}

bool ServerCore::shed(Connection& connection, const char* reason) noexcept {
    if (!connection.beginRefusal()) {
        return false;  // Counted as cut.
    }
    shed(connection.socket().sockfd(), connection.peer(), reason);
    return true;
}

namespace {

thread_local const ServerCore* serving = nullptr;

/// While it lives this thread serves a request.
class Serving {
public:
    explicit Serving(const ServerCore* core) : before_(std::exchange(serving, core)) {}
    ~Serving() { serving = before_; }

    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;

private:
    const ServerCore* const before_;
};

}  // namespace

bool ServerCore::isServingHere() const {
    return serving == this;
}

void ServerCore::serve(ConnectionPtr connection) noexcept {
    const Serving here(this);
    switch (serveConnection(*connection)) {
        case ExchangeEnd::keepAlive:
            loop->park(std::move(connection));
            break;
        case ExchangeEnd::close:
            finish(std::move(connection));
            break;
        case ExchangeEnd::lingeringClose:
            loop->lingeringClose(std::move(connection));
            break;
        case ExchangeEnd::takenOver:
            forget(std::move(connection));
            break;
    }
}

/// A function of its own: the session must have let go of the socket before others get it.
ExchangeEnd ServerCore::serveConnection(Connection& connection) {
    HttpSession session(connection, params);
    try {
        return serveRequests(connection, session);
    } catch (const std::exception&) {
        return ExchangeEnd::close;  // No memory to take the socket from the session.
    }
}

ExchangeEnd ServerCore::serveRequests(Connection& connection, HttpSession& session) {
    using Patience = ConnectionSocket::Patience;
    bool first = true;
    for (;;) {
        // When threads are scarce, a client waits for its next turn like everybody else.
        const bool crowded = workers->isCrowded();
        const Arrival arrival = crowded && !first && !session.hasBytes()
                                    ? Arrival::quiet
                                    : session.awaitRequest(crowded ? Patience::none : Patience::little);
        first = false;
        if (arrival == Arrival::end || (arrival == Arrival::noMemory && !shed(connection, "no memory left"))) {
            return ExchangeEnd::close;
        }
        if (arrival == Arrival::noMemory) {
            session.detachSocket();
            return ExchangeEnd::lingeringClose;
        }
        if (arrival == Arrival::quiet) {
            if (session.hasBytes()) {
                connection.become(ConnectionState::reading);  // The loop waits for the rest.
            } else if (connection.state() == ConnectionState::queued) {
                connection.revertToIdle();  // An empty line is not a request.
            }
            session.detachSocket();  // or the session would close it
            return ExchangeEnd::keepAlive;
        }
        Exchange exchange(*this, connection, session);
        ExchangeEnd end = arrival == Arrival::request ? exchange.run() : exchange.refuseMalformed();
        if (end == ExchangeEnd::close && connection.socket().hasInput()) {
            end = ExchangeEnd::lingeringClose;  // Closing over what it has sent would reset it.
        }
        if (end == ExchangeEnd::lingeringClose) {
            session.detachSocket();
        }
        if (end != ExchangeEnd::keepAlive) {
            return end;
        }
    }
}

void ServerCore::finish(ConnectionPtr connection) {
    connection->socket().close();
    forget(std::move(connection));
}

void ServerCore::forget(ConnectionPtr connection) {
    {
        const std::lock_guard lock(registerMutex_);
        register_.erase(connection->id());
        if (register_.empty() && endBegan_) {
            emptyAfter = Clock::now() - *endBegan_;
        }
    }
    if (loop) {
        loop->descriptorFreed();
    }
    // Dropping the record, the last thing here, may end the shutdown.
}

std::uint64_t ServerCore::cutAll(const std::string& cause) {
    closing = true;
    std::uint64_t count = 0;
    {
        // Under the lock throughout, as a list of them would need memory.
        const std::lock_guard lock(registerMutex_);
        allAreCut_ = true;
        for (const auto& [id, connection] : register_) {
            count += connection->cut();
        }
        cut += count;
    }
    cutting.cancel(cause);
    return count;
}

std::uint64_t ServerCore::countInFlight() const noexcept {
    std::uint64_t count = 0;
    ConnectionInfo seen;
    const std::lock_guard lock(registerMutex_);
    for (const auto& [id, connection] : register_) {
        seen.state = connection->state();
        count += seen.inFlight() ? 1 : 0;
    }
    return count;
}

std::vector<ConnectionInfo> ServerCore::connections() const {
    std::vector<ConnectionInfo> all;
    {
        const std::lock_guard lock(registerMutex_);
        for (const auto& [id, connection] : register_) {
            all.push_back(connection->info());
        }
    }
    std::sort(all.begin(), all.end(), [](const ConnectionInfo& a, const ConnectionInfo& b) {
        return std::pair(!a.inFlight(), -a.age.count()) < std::pair(!b.inFlight(), -b.age.count());
    });
    return all;
}

}  // namespace lifecycle::http
