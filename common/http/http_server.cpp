#include "lifecycle/http_server.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/timer_queue.h"
#include "http/exchange/exchanges.h"
#include "http/exchange/service.h"
#include "http/loop/connection_loop.h"
#include "http/loop/register.h"
#include "lifecycle/file_descriptor.h"

namespace lifecycle {

using http::ConnectionLoop;
using http::Listener;

namespace {

constexpr Duration reportInterval = std::chrono::seconds(1);

/// Memory that a shutdown may need. Small enough that malloc(3) takes it from the heap: a mapping of its own would be
/// returned to the system.
constexpr std::size_t memoryReserve = 64 * 1024;

/// Descriptors that serving takes beside the listeners: epoll and eventfd of the loop and of the ready set, netlink, the
/// acceptor's reserve, a connection, and one for what its handler opens.
constexpr std::size_t descriptorsToServe = 8;

/// Throws StartError if this process cannot open that many more: it would listen, and reset every client.
void requireDescriptors(std::size_t count) {
    std::vector<FileDescriptor> opened;
    while (opened.size() < count) {
        opened.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        if (opened.back()) {
            continue;
        }
        const std::string reason = std::generic_category().message(errno);
        const std::size_t missing = count - opened.size() + 1;
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        throw StartError("too few file descriptors to serve: " + reason + "; the limit is " +
                         std::to_string(limit.rlim_cur) + " (ulimit -n), at least " +
                         std::to_string(limit.rlim_cur + missing) + " are needed");
    }
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

/// Held by the server and by each worker, so that a handler that is left behind finds it still there.
struct HttpServer::Core : std::enable_shared_from_this<HttpServer::Core> {
    Core(Poco::Net::HTTPRequestHandlerFactory::Ptr factory, HttpServerOptions options)
        : service(std::move(factory), std::move(options)), connections(service.options) {}

    void start();
    bool drain(const Context& context);
    void reportBlocker(const Context& context);
    void cutAll(const std::string& cause);
    void cutOnce(const std::string& cause);
    void stopThreads(bool waitForAll);

    http::Service service;
    http::Register connections;
    std::unique_ptr<ConnectionLoop> loop;  // from start() on

    std::atomic<bool> started = false;
    std::atomic<bool> draining = false;  // a shutdown waits for the end of the connections, and reports it
    std::mutex startMutex;               // of start() against a shutdown() on another thread
    bool isShutDown = false;             // guarded by startMutex
    std::mutex stopMutex;                // one thread at a time cuts, and ends the others

    /// Freed when a shutdown begins, so that it has memory even if there is none left.
    std::unique_ptr<std::byte[]> reserve;
};

void HttpServer::Core::start() {
    // From here on a shutdown has all that it needs: its deadline's thread, one that serves, descriptors, memory.
    detail::TimerQueue::instance().start();
    const std::size_t sockets = std::max<std::size_t>(service.options.sockets.size(), 1);
    requireDescriptors(sockets + descriptorsToServe);
    reserve = std::make_unique<std::byte[]>(memoryReserve);
    loop = std::make_unique<ConnectionLoop>(service, connections, listeners(service.options));
    try {
        loop->start(weak_from_this());
    } catch (...) {
        loop.reset();
        throw;
    }
    started = true;
}

/// True once all connections are gone, false when the context is done first, or that of another
/// shutdown, which has cut them.
bool HttpServer::Core::drain(const Context& context) {
    const auto [waiting, stopWaiting] = withCancel(context);
    const DoneCallback whenCut = service.cutting.context.onDone([&stop = stopWaiting] { stop(); });
    for (TimePoint report = Clock::now() + reportInterval;; report += reportInterval) {
        if (connections.gate().wait(withDeadline(waiting, report).context)) {
            return true;
        }
        if (waiting.done()) {
            return false;
        }
        reportBlocker(context);
    }
}

void HttpServer::Core::reportBlocker(const Context& context) try {
    const std::vector<ConnectionInfo> all = connections.connections();
    if (all.empty()) {
        return;
    }
    const ConnectionInfo& oldest = all.front();
    const bool endless = !context.deadline();
    service.emit("drain.waiting",
                 {{"in_flight", connections.countInFlight()},
                  {"remaining", endless ? "unlimited" : formatRounded(context.remaining())},
                  {"method", oldest.method.empty() ? "-" : oldest.method},
                  {"path", oldest.path.empty() ? "-" : oldest.path},
                  {"peer", oldest.peer},
                  {"age", oldest.age},
                  {"state", toString(oldest.state)}});
} catch (const std::bad_alloc&) {
    // The report is worth less than the drain.
}

void HttpServer::Core::cutAll(const std::string& cause) {
    service.phase.cut();
    service.counters.cut += connections.cutAll();
    service.cutting.cancel(cause);
}

void HttpServer::Core::cutOnce(const std::string& cause) {
    const std::lock_guard lock(stopMutex);
    if (!service.cutting.context.done()) {
        cutAll(cause);
        service.emit("deadline.hit", {{"cut", service.counters.cut.load()}, {"cause", cause}});
    }
}

void HttpServer::Core::stopThreads(bool waitForAll) {
    const std::lock_guard lock(stopMutex);
    loop->stop(waitForAll);
}

HttpServer::HttpServer(Poco::Net::HTTPRequestHandlerFactory::Ptr factory, HttpServerOptions options)
    : core_(std::make_shared<Core>(std::move(factory), std::move(options))) {}

HttpServer::~HttpServer() {
    if (core_->started) {
        core_->cutAll("server destroyed");
        core_->stopThreads(core_->service.counters.cut == 0);
    }
}

void HttpServer::start() {
    const std::lock_guard lock(core_->startMutex);
    if (core_->started) {
        throw std::logic_error("HttpServer::start: it has been started");
    }
    if (core_->isShutDown) {
        throw std::logic_error("HttpServer::start: shutdown() has been called");
    }
    core_->start();
}

ConnectionLoop& HttpServer::startedLoop(const char* function) const {
    if (!core_->started) {
        throw std::logic_error("HttpServer::" + std::string(function) + ": start() has not been called");
    }
    return *core_->loop;
}

Poco::Net::SocketAddress HttpServer::address() const {
    return startedLoop("address").address();
}

void HttpServer::announceShutdown() {
    if (core_->started) {
        core_->loop->announce();
    }
    core_->service.phase.announce();
    core_->service.announcement.make();
}

Context HttpServer::shutdownContext() const {
    return core_->service.announcement.context();
}

void HttpServer::closeListener() {
    ConnectionLoop& loop = startedLoop("closeListener");
    announceShutdown();
    core_->service.phase.drain();
    loop.closeListeners();
    loop.listenersClosed().wait();
}

void HttpServer::stopAccepting() {
    ConnectionLoop& loop = startedLoop("stopAccepting");
    announceShutdown();
    loop.stopAccepting();
}

void HttpServer::resumeAccepting() {
    startedLoop("resumeAccepting").resumeAccepting();
    core_->service.announcement.takeBack();
}

ShutdownResult HttpServer::shutdown(const Context& context) {
    Core& core = *core_;
    if (http::Exchanges::isHere(core.service)) {
        throw std::logic_error("HttpServer::shutdown: called by one of its handlers, it would wait for that one");
    }
    {
        const std::lock_guard lock(core.startMutex);
        core.isShutDown = true;
        core.reserve.reset();
        if (!core.started) {
            return {};
        }
    }
    const TimePoint begin = Clock::now();
    announceShutdown();
    core.service.phase.drain();
    core.loop->closeListeners();
    const Context& closed = core.loop->listenersClosed();
    const bool inTime = waitFor(closed, context);
    if (!inTime) {
        core.loop->closeListenersNow();
        closed.wait();
    }
    const bool first = !core.draining.exchange(true);  // the others have nothing new to report
    if (first) {
        core.service.emit("drain.begin", {{"in_flight", core.connections.countInFlight()}});
    }

    // Connections that it had no time to accept have been cut.
    const std::atomic<std::uint64_t>& cut = core.service.counters.cut;
    const bool drained = core.drain(context) && (inTime || cut == 0);
    if (!drained) {
        core.cutOnce(context.cause());
    } else if (first) {
        core.service.emit("drain.end", {{"took", Clock::now() - begin}});
    }
    // Who was cut may be in a handler that never returns. All others end at once.
    core.stopThreads(drained || cut == 0);

    ShutdownResult result = counters();
    result.took = Clock::now() - begin;
    return result;
}

std::vector<ConnectionInfo> HttpServer::connections() const {
    return core_->connections.connections();
}

ShutdownResult HttpServer::counters() const {
    const http::Counters& counters = core_->service.counters;
    return {.served = counters.served,
            .refused = counters.shed,
            .cut = counters.cut,
            .answeredWithClose = counters.answeredWithClose,
            .idleClosed = counters.idleClosed,
            .emptyAfter = core_->connections.emptyAfter()};
}

}  // namespace lifecycle
