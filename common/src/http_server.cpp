#include "lifecycle/http_server.h"

#include <algorithm>

#include "http/server_core.h"
#include "timer_queue.h"

namespace lifecycle {

using detail::WorkerPool;
using http::ConnectionLoop;
using http::Listener;
using http::ServerCore;
using http::Work;

namespace {

constexpr Duration reportInterval = std::chrono::seconds(1);

std::uint64_t countInFlight(const std::vector<ConnectionInfo>& connections) {
    return static_cast<std::uint64_t>(
        std::count_if(connections.begin(), connections.end(),
                      [](const ConnectionInfo& connection) { return connection.inFlight(); }));
}

void reportBlocker(ServerCore& core, const Context& context) {
    const std::vector<ConnectionInfo> connections = core.connections();
    if (connections.empty()) {
        return;
    }
    const ConnectionInfo& oldest = connections.front();
    const bool endless = !context.deadline();
    core.emit("drain.waiting",
              {{"in_flight", countInFlight(connections)},
               {"remaining", endless ? "unlimited" : formatRounded(context.remaining())},
               {"method", oldest.method.empty() ? "-" : oldest.method},
               {"path", oldest.path.empty() ? "-" : oldest.path},
               {"peer", oldest.peer},
               {"age", oldest.age},
               {"state", toString(oldest.state)}});
}

std::vector<Listener> listeners(const HttpServerOptions& options) {
    std::vector<Listener> all;
    for (const ListeningSocket* socket : options.sockets) {
        all.emplace_back(socket->duplicate());
    }
    if (all.empty()) {
        all.emplace_back(ListeningSocket::listenOn(options.address));
    }
    return all;
}

/// True once `event` is done, false when `context` is done first.
bool waitFor(const Context& event, const Context& context) {
    const auto [waiting, stopWaiting] = withCancel(context);
    const DoneCallback whenDone = event.onDone([&stop = stopWaiting] { stop(); });
    waiting.wait();
    return event.done();
}

/// True once all connections are gone, false when the context is done first, or that of another
/// shutdown, which has cut them.
bool drain(ServerCore& core, const Context& context) {
    const auto [waiting, stopWaiting] = withCancel(context);
    const DoneCallback whenCut = core.cutting.context.onDone([&stop = stopWaiting] { stop(); });
    for (TimePoint report = Clock::now() + reportInterval;; report += reportInterval) {
        if (core.gate.wait(withDeadline(waiting, report).context)) {
            return true;
        }
        if (waiting.done()) {
            return false;
        }
        reportBlocker(core, context);
    }
}

}  // namespace

std::string_view toString(ConnectionState state) {
    switch (state) {
        case ConnectionState::fresh:
            return "fresh";
        case ConnectionState::queued:
            return "queued";
        case ConnectionState::reading:
            return "reading";
        case ConnectionState::handling:
            return "handling";
        case ConnectionState::writing:
            return "writing";
        case ConnectionState::idle:
            return "idle";
        case ConnectionState::closing:
            return "closing";
    }
    return "";
}

HttpServer::HttpServer(Poco::Net::HTTPRequestHandlerFactory::Ptr factory, HttpServerOptions options)
    : core_(std::make_shared<ServerCore>(std::move(factory), std::move(options))) {}

HttpServer::~HttpServer() {
    if (core_->loop) {
        core_->cutAll("server destroyed");
        stopThreads(core_->cut == 0);
    }
}

void HttpServer::start() {
    if (core_->loop) {
        throw std::logic_error("HttpServer::start: it has been started");
    }
    detail::TimerQueue::instance().start();  // for the deadline of the shutdown
    auto loop = std::make_unique<ConnectionLoop>(*core_, listeners(core_->options));
    core_->workers = std::make_shared<WorkerPool<Work>>(
        "http-worker", WorkerPool<Work>::Limits{core_->options.threads, core_->options.queue},
        [](Work work) { work.core->serve(std::move(work.connection)); });
    core_->loop = std::move(loop);
    try {
        core_->loop->start();
    } catch (...) {
        core_->loop.reset();
        throw;
    }
}

Poco::Net::SocketAddress HttpServer::address() const {
    return core_->loop->address();
}

void HttpServer::announceShutdown() {
    core_->announce();
}

void HttpServer::closeListener() {
    announceShutdown();
    core_->loop->closeListeners();
    core_->listenerClosed.context.wait();
}

void HttpServer::stopAccepting() {
    announceShutdown();
    core_->loop->stopAccepting();
}

void HttpServer::resumeAccepting() {
    core_->loop->resumeAccepting();
}

ShutdownResult HttpServer::shutdown(const Context& context) {
    if (!core_->loop) {
        return {};  // It was never started.
    }
    const TimePoint begin = Clock::now();
    announceShutdown();
    core_->loop->closeListeners();
    if (!waitFor(core_->listenerClosed.context, context)) {
        core_->loop->closeListenersNow();
        core_->listenerClosed.context.wait();
    }
    const bool first = !core_->draining.exchange(true);  // the others tell nothing new
    if (first) {
        core_->emit("drain.begin", {{"in_flight", countInFlight(core_->connections())}});
    }

    const bool drained = drain(*core_, context);
    if (!drained) {
        cutOnce(context.cause());
    } else if (first) {
        core_->emit("drain.end", {{"took", Clock::now() - begin}});
    }
    // Who was cut may be in a handler that never returns. All others end at once.
    stopThreads(drained || core_->cut == 0);

    ShutdownResult result = counters();
    result.took = Clock::now() - begin;
    return result;
}

void HttpServer::cutOnce(const std::string& cause) {
    const std::lock_guard lock(core_->stopMutex);
    if (!core_->cutting.context.done()) {
        const std::uint64_t cut = core_->cutAll(cause);
        core_->emit("deadline.hit", {{"cut", cut}, {"cause", cause}});
    }
}

void HttpServer::stopThreads(bool waitForAll) {
    const std::lock_guard lock(core_->stopMutex);
    for (Work& queued : core_->workers->stop(waitForAll)) {
        core_->finish(std::move(queued.connection));
    }
    core_->loop->stop();
}

std::vector<ConnectionInfo> HttpServer::connections() const {
    return core_->connections();
}

ShutdownResult HttpServer::counters() const {
    return {.served = core_->served,
            .refused = core_->refused,
            .cut = core_->cut,
            .answeredWithClose = core_->answeredWithClose,
            .idleClosed = core_->idleClosed,
            .emptyAfter = core_->emptyAfter};
}

}  // namespace lifecycle
