#include "generation.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <exception>
#include <utility>

#include "greeting_service.h"
#include "lifecycle/exit_code.h"
#include "ready_event.h"
#include "signals_taken.h"

namespace stage {

using lifecycle::Clock;
using lifecycle::Context;
using lifecycle::RestartMessage;
using lifecycle::ShutdownResult;

namespace {

/// How long the log may wait for its reader when the process is about to exit.
constexpr lifecycle::Duration lastWordsLimit = std::chrono::milliseconds(20);

lifecycle::Duration microseconds(std::uint64_t count) {
    return std::chrono::microseconds(count);
}

/// Another descriptor of the process that has started this one, which adds itself at the end.
lifecycle::FileDescriptor starterProcess(const std::vector<lifecycle::FileDescriptor>& older) {
    return lifecycle::FileDescriptor(older.empty() ? -1 : ::fcntl(older.back().get(), F_DUPFD_CLOEXEC, 3));
}

}  // namespace

Generation::Generation(Settings settings, const lifecycle::OwnCommand& command,
                       lifecycle::InheritedSockets inherited, lifecycle::ShutdownSignals& signals,
                       lifecycle::EventLog& events)
    : settings_(std::move(settings)),
      inherited_(std::move(inherited)),
      starterProcess_(starterProcess(inherited_.older)),
      signals_(signals),
      events_(events),
      managed_(inherited_.start.text("control") == "stable-pid"),
      ownsSockets_(inherited_.sockets.empty() || inherited_.start.text("owns_sockets") == "1"),
      generation_(inherited_.starter ? static_cast<unsigned>(inherited_.start.number("generation")) : 1),
      pidFile_(managed_ ? "" : settings_.pidFile),
      loop_(std::make_shared<lifecycle::PollLoop>()),
      heartbeat_(*loop_, notifier_),
      requests_(*loop_, managed_ ? "" : settings_.pidFile, [this](pid_t pid, uid_t uid) {
          events_.emit("restart.requested", {{"sender_pid", pid}, {"sender_uid", uid}});
          restart(false);
      }) {
    if (inherited_.sockets.empty()) {
        inherited_.sockets = settings_.openSockets();
        startGuard_.opened(inherited_.sockets);
    }
    const auto sockets = inherited_.pointers();
    server_ = std::make_unique<lifecycle::HttpServer>(
        new GreetingService(settings_.message, generation_, settings_.work, ready_),
        lifecycle::HttpServerOptions{
            .sockets = sockets,
            .acceptFromStart = false,
            .keepAliveGrace = settings_.keepAliveGrace,
            .keepAliveTimeout = settings_.keepAliveTimeout,
            .events = &events_});
    if (!managed_) {
        lifecycle::SuccessorPlan plan{.command = command,
                                      .sockets = sockets,
                                      .fields = {{"owns_sockets", ownsSockets_ ? "1" : "0"}},
                                      .environment = {"WATCHDOG_PID"},  // It will be the one that is watched.
                                      .blockedSignals = {restartSignals.begin(), restartSignals.end()},
                                      .startTimeout = settings_.startTimeout};
        restarter_ = std::make_unique<Restarter>(
            *loop_, settings_, std::move(plan), generation_, !inherited_.starter, std::move(inherited_.older),
            requests_,
            Restarter::Clients{.handOver = [this](const Handover& handover) { handOver(handover); },
                               .takeBack = [this] { takeBack(); },
                               .finish = [this] { finish(); },
                               .successorEnded = [this](int code) { code_ = std::max(code_, code); leave(); },
                               .restartWaits = [this] { tellStarter({"restart"}); }},
            events_);
    }
}

Generation::~Generation() {
    signals_.onForced({});
    if (drainThread_.joinable()) {
        if (state_ != State::draining) {
            drainOrder_.set_value(std::nullopt);
        }
        drainThread_.join();
    }
}

int Generation::run() {
    listenToSignals();
    limitStart();
    if (generation_ > 1 && !settings_.fault.kind().empty()) {
        events_.emit("fault", {{"kind", settings_.fault.kind()}, {"note", "an experiment of the configuration file"}});
        settings_.fault.beforeReady(signals_.context(), [this] { inherited_.starter.reset(); });
    }
    makeReady();
    if (inherited_.starter) {
        listenToStarter();
    } else {
        serve();
        notifier_.ready(::getpid(), status("serves"));
    }
    loop_->run();
    events_.emit("exit", {{"code", code_}});
    signals_.stop();
    const bool leavesSuccessor = restarter_ && restarter_->hasSuccessor();
    if (leavesSuccessor && !ending_ && signals_.context().done()) {
        restarter_->end();  // The signal came too late for this process, but is meant for the service.
    }
    if (wasCut_ || leavesSuccessor) {
        // A handler that was cut may still be running and use what destructors would destroy. And a signal that is
        // sent to this process from here on would be lost, so it exits at once.
        ::_exit(code_);
    }
    return code_;
}

void Generation::listenToSignals() {
    signals_.on(SIGHUP, [this, loop = loop_] { loop->post([this] { restart(true); }); });
    signals_.on(SIGUSR2, [this, loop = loop_] { loop->post([this] { hammer(); }); });
    signals_.onForced([this] {
        pidFile_.remove();
        if (restarter_) {
            restarter_->killSuccessor();
        }
    });
    whenStopped_ = signals_.context().onDone(
        [this] { loop_->post([this] { end(signals_.context().cause(), false); }); });
}

/// Allocates whatever serving and the shutdown need before there are clients; it may throw here.
void Generation::makeReady() {
    server_->start();
    drainThread_ = std::thread([this, order = drainOrder_.get_future()]() mutable {
        if (const std::optional<Context> context = order.get()) {
            const ShutdownResult result = server_->shutdown(*context);
            loop_->post([this, result] { drained(result); });
        }
    });
}

// ---- taking over from the generation before -----------------------------------------------------

/// The starter kills a process that is late, but may be gone: a hung one would keep the port.
void Generation::limitStart() {
    if (!inherited_.starter) {
        return;
    }
    const lifecycle::Duration limit = lifecycle::addSaturated(settings_.startTimeout, std::chrono::seconds(1));
    startLimit_ = withTimeout(Context::background(), limit).context;
    whenTooLate_ = startLimit_.onDone([this, limit] {
        events_.emitWithin(lastWordsLimit, "exit", {{"code", lifecycle::exitUnavailable},
                                                    {"note", "not serving after " + lifecycle::formatDuration(limit)}});
        ::_exit(lifecycle::exitUnavailable);
    });
}

void Generation::listenToStarter() {
    loop_->watch(inherited_.starter->descriptor(), [this] {
        while (const auto message = inherited_.starter->receive()) {
            take(*message);
        }
        if (inherited_.starter->ended()) {
            loop_->forget(inherited_.starter->descriptor());
            inherited_.starter.reset();
            starterHasClosed();
        }
    });
    tellStarter({"ready", {{"version", std::to_string(lifecycle::RestartChannel::version)},
                           {"pid", std::to_string(::getpid())},
                           {"inodes", inodes()}}});
}

std::string Generation::inodes() const {
    std::string list;
    for (const lifecycle::ListeningSocket& socket : inherited_.sockets) {
        list += (list.empty() ? "" : ",") + std::to_string(socket.inode());
    }
    return list;
}

void Generation::tellStarter(const RestartMessage& message) {
    if (inherited_.starter) {
        inherited_.starter->send(message);
    }
}

void Generation::take(const RestartMessage& message) {
    if (message.word == "serve" && state_ == State::starting && !ending_) {
        takeOver();
    } else if (message.word == "settled" && restarter_) {
        restarter_->settled();
    } else if (message.word == "restart") {
        restart(true);
    } else if (message.word == "end") {
        end("the process that started this one", message.text("quietly") == "1");
    } else if (message.word == "retire" && state_ == State::serving && !ending_) {
        handOver({static_cast<pid_t>(message.number("new_pid")), microseconds(message.number("spawn_us")),
                  microseconds(message.number("ready_us"))});
    } else if (message.word == "resume" && state_ == State::handedOver) {
        takeBack();
    } else if (message.word == "finish") {
        finish();
    }
}

void Generation::takeOver() {
    whenTooLate_ = {};  // Waits for the callback: afterwards this process serves, unless it has exited.
    serve();
    tellStarter({"serving"});
}

void Generation::starterHasClosed() {
    if (managed_) {
        // Nobody follows the pid of this process, so nobody could end the service any more.
        end("the supervising process is gone", false);
    } else if (state_ == State::starting) {
        // It may be alive, serving, and about to kill this one.
        loop_->watch(starterProcess_.get(), [this] {
            loop_->forget(starterProcess_.get());
            starterHasEnded();
        });
    } else {
        restarter_->settled();
    }
}

/// No generation before the starter has a claim to the clients: see Restarter::settled.
void Generation::starterHasEnded() {
    if (ending_) {
        return;
    }
    whenTooLate_ = {};
    events_.emit("restart.orphaned", {{"note", "the generation before is gone: serving in its place"}});
    restarter_->settled();
    serve();
    notifier_.ready(::getpid(), status("serves: the generation before is gone"));
}

std::string Generation::status(const std::string& what) const {
    return "generation " + std::to_string(generation_) + " " + what;
}

void Generation::serve() {
    if (generation_ == 1) {
        pidFile_.write();
    }
    server_->resumeAccepting();
    state_ = State::serving;
    starterProcess_.reset();
    if (generation_ > 1) {
        writePidFile();
    }
    startGuard_.serving();
    openRequests();
    if (!managed_) {
        heartbeat_.start();
    }
    tellReady(events_, managed_ ? "worker.ready" : "ready", generation_, inherited_.sockets);
    if (generation_ > 1 && settings_.fault.livesFor() > lifecycle::Duration::zero()) {
        loop_->in(settings_.fault.livesFor(), [] { Fault::crash(); });
    }
}

/// For a process that clients depend on already: it is better to serve without the file than not to serve.
void Generation::writePidFile() {
    try {
        pidFile_.write();
    } catch (const std::exception& error) {
        events_.emit("pid_file.failed", {{"reason", error.what()}});
    }
}

/// Signals restart as well.
void Generation::openRequests() {
    try {
        requests_.open();
    } catch (const std::exception& error) {
        events_.emit("restart.requests_failed", {{"reason", error.what()}});
    }
}

// ---- handing over to the next one ---------------------------------------------------------------

void Generation::restart(bool bySignal) {
    if (managed_) {
        events_.emit("restart.refused", {{"reason", "process " + std::string(inherited_.start.text("supervisor")) +
                                                        " starts generations here: send SIGHUP to that"}});
    } else if (state_ == State::starting) {
        events_.emit("restart.refused", {{"reason", "this generation does not serve yet"}});
    } else {
        restarter_->request(bySignal);
    }
}

std::uint64_t Generation::inFlight() const {
    const auto connections = server_->connections();
    return static_cast<std::uint64_t>(
        std::count_if(connections.begin(), connections.end(), [](const auto& one) { return one.inFlight(); }));
}

void Generation::handOver(const Handover& handover) {
    inFlightAtHandover_ = inFlight();
    server_->stopAccepting();
    state_ = State::handedOver;
    heartbeat_.stop();
    requests_.moved();
    endBegan_ = Clock::now();
    handover_ = handover;
    tellStarter({"released"});  // It need not be ready to take over from this one any more.
    events_.emit("restart.handed_over", {{"old_pid", ::getpid()},
                                         {"new_pid", handover.newPid},
                                         {"spawn", handover.spawnTook},
                                         {"ready", handover.readyTook},
                                         {"in_flight", inFlightAtHandover_}});
}

void Generation::takeBack() {
    server_->resumeAccepting();
    state_ = State::serving;
    handover_ = {};
    writePidFile();
    openRequests();
    if (!managed_) {
        heartbeat_.start();
    }
}

void Generation::finish() {
    if (state_ == State::handedOver) {
        drain(lifecycle::addSaturated(endBegan_, settings_.drainTimeout));
    }
}

void Generation::hammer() {
    if (restarter_) {
        restarter_->windowIsOver();  // finishes, if it has handed over
    }
    finish();
    if (state_ == State::draining) {
        (*cutNow_)("SIGUSR2");
    } else {
        events_.emit("hammer.ignored", {{"note", "SIGUSR2 cuts what is left of a drain; nothing drains here"}});
    }
}

// ---- the end ------------------------------------------------------------------------------------

void Generation::end(const std::string& cause, bool quietly) {
    if (std::exchange(ending_, true)) {
        return;
    }
    if (restarter_) {
        restarter_->end();
    }
    if (state_ == State::starting) {
        isDrained_ = true;
        leave();
    } else if (state_ == State::serving) {
        if (!quietly) {
            notifier_.stopping("shutting down");
            heartbeat_.shutdown([this] {
                return "shutting down: " + std::to_string(inFlight()) + " requests in flight";
            });
        }
        tellStarter({"released", {{"ends", "1"}}});
        if (!ownsSockets_) {
            server_->stopAccepting();  // Who is in line is for the process that the service manager starts next.
        }
        endBegan_ = Clock::now();
        events_.emit("shutdown.begin", {{"cause", cause}, {"deadline", settings_.drainTimeout}});
        ready_ = false;
        server_->announceShutdown();
        events_.emit("readiness.off");
        drain(lifecycle::addSaturated(endBegan_, settings_.drainTimeout));
    } else {
        finish();
        leave();
    }
}

void Generation::drain(lifecycle::TimePoint deadline) {
    state_ = State::draining;
    // There is no way back. The server closes its own descriptors of them in its time.
    const bool serviceEnds = handover_.newPid == 0 && ownsSockets_ && !managed_;
    if (serviceEnds) {
        removePaths(inherited_.sockets);
    }
    for (lifecycle::ListeningSocket& socket : inherited_.sockets) {
        socket.close();
    }
    const auto [context, cut] = withDeadline(Context::background(), deadline);
    cutNow_ = cut;
    drainOrder_.set_value(context);
}

void Generation::drained(const ShutdownResult& result) {
    drainThread_.join();
    isDrained_ = true;
    wasCut_ = !result.clean();
    if (wasCut_) {
        code_ = std::max(code_, lifecycle::exitWorkCut);
    }
    if (handover_.newPid != 0) {
        report(result);
    }
    events_.emit("shutdown.end", {{"served", result.served},
                                  {"refused", result.refused},
                                  {"cut", result.cut},
                                  {"took", Clock::now() - endBegan_}});
    leave();
}

void Generation::report(const ShutdownResult& result) {
    events_.emit("restart.report", {{"old_pid", ::getpid()},
                                    {"new_pid", handover_.newPid},
                                    {"spawn", handover_.spawnTook},
                                    {"ready", handover_.readyTook},
                                    {"drain", wasCut_ ? Clock::now() - endBegan_ : result.emptyAfter},
                                    {"in_flight", inFlightAtHandover_},
                                    {"answered_with_close", result.answeredWithClose},
                                    {"idle_closed", result.idleClosed},
                                    {"cut", result.cut}});
}

void Generation::leave() {
    if (isDrained_ && (!restarter_ || !restarter_->waitsForSuccessor())) {
        requests_.close();
        pidFile_.remove();
        loop_->stop();
    }
}

}  // namespace stage
