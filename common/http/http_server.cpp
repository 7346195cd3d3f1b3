#include "lifecycle/http_server.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "http/loop/server_core.h"
#include "lifecycle/file_descriptor.h"
#include "core/timer_queue.h"

namespace lifecycle {

using detail::WorkerPool;
using http::ConnectionLoop;
using http::Listener;
using http::ServerCore;
using http::Work;

namespace {

constexpr Duration reportInterval = std::chrono::seconds(1);

/// Memory that a shutdown may need. Small enough that malloc(3) takes it from the heap: a mapping of its own would be
/// returned to the system.
constexpr std::size_t memoryReserve = 64 * 1024;

/// Descriptors that serving takes beside the listeners: epoll, eventfd, netlink, the acceptor's reserve, a
/// connection, and one for what its handler opens.
constexpr std::size_t descriptorsToServe = 6;

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

void reportBlocker(ServerCore& core, const Context& context) try {
    const std::vector<ConnectionInfo> connections = core.connections();
    if (connections.empty()) {
        return;
    }
    const ConnectionInfo& oldest = connections.front();
    const bool endless = !context.deadline();
    core.emit("drain.waiting",
              {{"in_flight", core.countInFlight()},
               {"remaining", endless ? "unlimited" : formatRounded(context.remaining())},
               {"method", oldest.method.empty() ? "-" : oldest.method},
               {"path", oldest.path.empty() ? "-" : oldest.path},
               {"peer", oldest.peer},
               {"age", oldest.age},
               {"state", toString(oldest.state)}});
} catch (const std::bad_alloc&) {
    // The report is worth less than the drain.
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
    if (core_->started) {
        core_->cutAll("server destroyed");
        stopThreads(core_->cut == 0);
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
    // From here on a shutdown has all that it needs: its deadline's thread, one that serves, descriptors, memory.
    detail::TimerQueue::instance().start();
    const std::size_t sockets = std::max<std::size_t>(core_->options.sockets.size(), 1);
    requireDescriptors(sockets + descriptorsToServe);
    core_->reserve = std::make_unique<std::byte[]>(memoryReserve);
    auto loop = std::make_unique<ConnectionLoop>(*core_, listeners(core_->options));
    core_->workers = std::make_shared<WorkerPool<Work>>(
        "http-worker",
        WorkerPool<Work>::Limits{.threads = core_->options.threads, .queued = core_->options.queue, .kept = 1},
        [](Work work) { work.core->serve(std::move(work.connection)); });
    core_->loop = std::move(loop);
    try {
        core_->workers->start();
        core_->loop->start();
    } catch (...) {
        core_->workers->stop(true);
        core_->loop.reset();
        throw;
    }
    core_->started = true;
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
    core_->announce();
}

void HttpServer::closeListener() {
    ConnectionLoop& loop = startedLoop("closeListener");
    announceShutdown();
    loop.closeListeners();
    core_->listenerClosed.context.wait();
}

void HttpServer::stopAccepting() {
    ConnectionLoop& loop = startedLoop("stopAccepting");
    announceShutdown();
    loop.stopAccepting();
}

void HttpServer::resumeAccepting() {
    startedLoop("resumeAccepting").resumeAccepting();
}

ShutdownResult HttpServer::shutdown(const Context& context) {
    if (core_->isServingHere()) {
        throw std::logic_error("HttpServer::shutdown: called by one of its handlers, it would wait for that one");
    }
    {
        const std::lock_guard lock(core_->startMutex);
        core_->isShutDown = true;
        core_->reserve.reset();
        if (!core_->started) {
            return {};
        }
    }
    const TimePoint begin = Clock::now();
    announceShutdown();
    core_->loop->closeListeners();
    const bool inTime = waitFor(core_->listenerClosed.context, context);
    if (!inTime) {
        core_->loop->closeListenersNow();
        core_->listenerClosed.context.wait();
    }
    const bool first = !core_->draining.exchange(true);  // the others have nothing new to report
    if (first) {
        core_->emit("drain.begin", {{"in_flight", core_->countInFlight()}});
    }

    // Connections that it had no time to accept have been cut.
    const bool drained = drain(*core_, context) && (inTime || core_->cut == 0);
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
        core_->cutAll(cause);
        core_->emit("deadline.hit", {{"cut", core_->cut.load()}, {"cause", cause}});
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
