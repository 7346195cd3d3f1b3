#include "generation.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <utility>

#include "greeting_service.h"
#include "lifecycle/exit_code.h"
#include "ready_event.h"
#include "signals_taken.h"

namespace stage {

using lifecycle::Clock;
using lifecycle::RestartMessage;
using lifecycle::ShutdownResult;
using State = GenerationState;

Generation::Generation(Settings settings, const lifecycle::OwnCommand& command,
                       lifecycle::InheritedSockets inherited, lifecycle::ShutdownSignals& signals,
                       lifecycle::EventLog& events)
    : settings_(std::move(settings)),
      inherited_(std::move(inherited)),
      hasStarter_(inherited_.starter.has_value()),
      signals_(signals),
      events_(events),
      managed_(inherited_.start.text("control") == "stable-pid"),
      ownsSockets_(inherited_.sockets.empty() || inherited_.start.text("owns_sockets") == "1"),
      generation_(hasStarter_ ? static_cast<unsigned>(inherited_.start.number("generation")) : 1),
      pidFile_(managed_ ? "" : settings_.pidFile),
      loop_(std::make_shared<lifecycle::PollLoop>()),
      heartbeat_(*loop_, notifier_),
      requests_(*loop_, managed_ ? "" : settings_.pidFile,
                [this](pid_t pid, uid_t uid) {
                    events_.emit("restart.requested", {{"sender_pid", pid}, {"sender_uid", uid}});
                    onRestartRequested(false);
                }),
      starter_(*loop_, inherited_) {
    if (inherited_.sockets.empty()) {
        inherited_.sockets = settings_.openSockets();
        startGuard_.opened(inherited_.sockets);
    }
    server_ = std::make_unique<lifecycle::HttpServer>(
        new GreetingService(settings_.message, generation_, settings_.work, notReady_.context),
        lifecycle::HttpServerOptions{
            .sockets = inherited_.pointers(),
            .acceptFromStart = false,
            .keepAliveGrace = settings_.keepAliveGrace,
            .keepAliveTimeout = settings_.keepAliveTimeout,
            .events = &events_});
    if (!managed_) {
        createRestarter(command);
    }
}

void Generation::createRestarter(const lifecycle::OwnCommand& command) {
    lifecycle::SuccessorPlan plan{.command = command,
                                  .sockets = inherited_.pointers(),
                                  .fields = {{"owns_sockets", ownsSockets_ ? "1" : "0"}},
                                  .environment = {"WATCHDOG_PID"},  // the successor will be the watched process
                                  .blockedSignals = {restartSignals.begin(), restartSignals.end()},
                                  .startTimeout = settings_.startTimeout};
    Restarter::Callbacks callbacks{.handOver = [this](const Handover& handover) { handOver(handover); },
                                   .resume = [this] { resume(); },
                                   .commitHandover = [this] { commitHandover(); },
                                   .onSuccessorExited = [this](int code) { onSuccessorExited(code); },
                                   .onRestartDeferred = [this] { starter_.sendMessage({"restart"}); }};
    restarter_ = std::make_unique<Restarter>(*loop_, settings_, std::move(plan), generation_, !hasStarter_,
                                             std::move(inherited_.older), requests_, std::move(callbacks), events_);
}

Generation::~Generation() {
    signals_.onForced({});
}

int Generation::run() {
    handleSignals();
    if (hasStarter_) {
        startTimeout_.emplace(events_, lifecycle::addSaturated(settings_.startTimeout, std::chrono::seconds(1)));
    }
    if (generation_ > 1 && !settings_.fault.kind().empty()) {
        events_.emit("fault", {{"kind", settings_.fault.kind()}, {"note", "an experiment of the configuration file"}});
        settings_.fault.beforeReady(signals_.context(), [this] { starter_.close(); });
    }
    createServerThreads();
    if (hasStarter_) {
        starter_.listen([this](const RestartMessage& message) { onStarterMessage(message); },
                        [this] { onStarterDisconnected(); });
        starter_.sendMessage({"ready", {{"version", std::to_string(lifecycle::RestartChannel::version)},
                                        {"pid", std::to_string(::getpid())},
                                        {"inodes", inodes()}}});
    } else {
        serve();
        notifier_.ready(::getpid(), status("serves"));
    }
    loop_->run();
    events_.emit("exit", {{"code", exitCode_}});
    signals_.stop();
    const bool leavesSuccessor = restarter_ && restarter_->hasSuccessor();
    if (leavesSuccessor && !shuttingDown_ && signals_.context().done()) {
        restarter_->shutDown();  // The signal came too late for this process, but is meant for the service.
    }
    if (wasCut_ || leavesSuccessor) {
        // A handler that was cut may still be running and use what destructors would destroy. And a signal that is
        // sent to this process from here on would be lost, so it exits at once.
        ::_exit(exitCode_);
    }
    return exitCode_;
}

void Generation::handleSignals() {
    signals_.on(SIGHUP, [this, loop = loop_] { loop->post([this] { onRestartRequested(true); }); });
    signals_.on(SIGUSR2, [this, loop = loop_] { loop->post([this] { cutDrain(); }); });
    signals_.onForced([this] {
        pidFile_.remove();
        if (restarter_) {
            restarter_->killSuccessor();
        }
    });
    whenStopped_ = signals_.context().onDone(
        [this] { loop_->post([this] { shutDown(signals_.context().cause(), true); }); });
}

/// Creates all threads before there are clients: it may throw here.
void Generation::createServerThreads() {
    server_->start();
    drainThread_ = std::make_unique<DrainThread>(*server_, *loop_,
                                                 [this](const ShutdownResult& result) { onDrained(result); });
}

// ---- inputs: the starter ------------------------------------------------------------------------

void Generation::onStarterMessage(const RestartMessage& message) {
    if (message.word == "serve" && state_ == State::starting && !shuttingDown_) {
        startTimeout_->cancel();
        serve();
        starter_.sendMessage({"serving"});
    } else if (message.word == "committed" && restarter_) {
        restarter_->onCommitted();
    } else if (message.word == "restart") {
        onRestartRequested(true);
    } else if (message.word == "shutdown") {
        shutDown("the process that started this one", message.text("notify") != "0");
    } else if (message.word == "retire" && state_ == State::serving && !shuttingDown_) {
        handOver({static_cast<pid_t>(message.number("new_pid")),
                  std::chrono::microseconds(message.number("spawn_us")),
                  std::chrono::microseconds(message.number("ready_us"))});
    } else if (message.word == "resume" && state_ == State::standby) {
        resume();
    } else if (message.word == "drain") {
        commitHandover();
    }
}

void Generation::onStarterDisconnected() {
    if (managed_) {
        // No supervisor or shell knows the pid of this process, so nobody could stop it any more.
        shutDown("the supervising process has exited", true);
    } else if (state_ == State::starting) {
        // The starter may still be running, serving, and about to kill this process.
        starter_.watchProcess([this] { onStarterExited(); });
    } else {
        restarter_->onCommitted();
    }
}

/// No generation before the starter has a claim to the clients: see Restarter::onCommitted.
void Generation::onStarterExited() {
    if (shuttingDown_) {
        return;
    }
    startTimeout_->cancel();
    events_.emit("restart.orphaned", {{"note", "the previous generation has exited: serving in its place"}});
    restarter_->onCommitted();
    serve();
    notifier_.ready(::getpid(), status("serves: the previous generation has exited"));
}

// ---- inputs: restarts ---------------------------------------------------------------------------

void Generation::onRestartRequested(bool bySignal) {
    if (managed_) {
        events_.emit("restart.refused", {{"reason", "process " + std::string(inherited_.start.text("supervisor")) +
                                                        " starts generations here: send SIGHUP to that"}});
    } else if (state_ == State::starting) {
        events_.emit("restart.refused", {{"reason", "this generation does not serve yet"}});
    } else {
        restarter_->request(bySignal);
    }
}

void Generation::onSuccessorExited(int code) {
    exitCode_ = std::max(exitCode_, code);
    exitIfDone();
}

// ---- transitions --------------------------------------------------------------------------------

void Generation::serve() {
    if (generation_ == 1) {
        pidFile_.write();
    }
    server_->resumeAccepting();
    state_ = State::serving;
    starter_.forgetProcess();
    if (generation_ > 1) {
        writePidFile();
    }
    startGuard_.serving();
    openRequests();
    if (!managed_) {
        heartbeat_.start();
    }
    logReady(events_, managed_ ? "worker.ready" : "ready", generation_, inherited_.sockets);
    if (generation_ > 1 && settings_.fault.livesFor() > lifecycle::Duration::zero()) {
        loop_->in(settings_.fault.livesFor(), [] { Fault::crash(); });
    }
}

void Generation::handOver(const Handover& handover) {
    inFlightAtHandover_ = inFlight();
    server_->stopAccepting();
    state_ = State::standby;
    heartbeat_.stop();
    requests_.redirect();
    drainBegan_ = Clock::now();
    handover_ = handover;
    starter_.sendMessage({"released"});  // It need not be able to take over from this generation any more.
    events_.emit("restart.handed_over", {{"old_pid", ::getpid()},
                                         {"new_pid", handover.newPid},
                                         {"spawn", handover.spawnTook},
                                         {"ready", handover.readyTook},
                                         {"in_flight", inFlightAtHandover_}});
}

void Generation::resume() {
    server_->resumeAccepting();
    state_ = State::serving;
    handover_ = {};
    writePidFile();
    openRequests();
    if (!managed_) {
        heartbeat_.start();
    }
}

void Generation::commitHandover() {
    if (state_ == State::standby) {
        drain();
    }
}

/// The whole service shuts down. `notify`: this process reports it to the service manager.
void Generation::shutDown(const std::string& cause, bool notify) {
    if (std::exchange(shuttingDown_, true)) {
        return;
    }
    if (restarter_) {
        restarter_->shutDown();
    }
    switch (state_) {
        case State::starting:
            drained_ = true;
            exitIfDone();
            break;
        case State::serving:
            if (notify) {
                notifier_.stopping("shutting down");
                heartbeat_.shutdown([this] {
                    return "shutting down: " + std::to_string(inFlight()) + " requests in flight";
                });
            }
            starter_.sendMessage({"released", {{"shutdown", "1"}}});
            if (!ownsSockets_) {
                server_->stopAccepting();  // Queued connections are for the service manager's next process.
            }
            drainBegan_ = Clock::now();
            events_.emit("shutdown.begin", {{"cause", cause}, {"deadline", settings_.drainTimeout}});
            notReady_.cancel();
            server_->announceShutdown();
            events_.emit("readiness.off");
            drain();
            break;
        case State::standby:
        case State::draining:
            commitHandover();
            exitIfDone();
            break;
    }
}

void Generation::drain() {
    state_ = State::draining;
    const bool serviceShutsDown = handover_.newPid == 0 && ownsSockets_ && !managed_;
    if (serviceShutsDown) {
        removePaths(inherited_.sockets);
    }
    // No way back. The server closes its own descriptors of them during its shutdown.
    for (lifecycle::ListeningSocket& socket : inherited_.sockets) {
        socket.close();
    }
    drainThread_->begin(lifecycle::addSaturated(drainBegan_, settings_.drainTimeout));
}

void Generation::cutDrain() {
    if (restarter_) {
        restarter_->commitHandover();
    }
    commitHandover();
    if (state_ == State::draining) {
        drainThread_->cut("SIGUSR2");
    } else {
        events_.emit("hammer.ignored", {{"note", "SIGUSR2 cuts what is left of a drain; this process does not drain"}});
    }
}

void Generation::onDrained(const ShutdownResult& result) {
    drainThread_->join();
    drained_ = true;
    wasCut_ = !result.clean();
    if (wasCut_) {
        exitCode_ = std::max(exitCode_, lifecycle::exitWorkCut);
    }
    if (handover_.newPid != 0) {
        logReport(result);
    }
    events_.emit("shutdown.end", {{"served", result.served},
                                  {"refused", result.refused},
                                  {"cut", result.cut},
                                  {"took", Clock::now() - drainBegan_}});
    exitIfDone();
}

void Generation::exitIfDone() {
    if (drained_ && (!restarter_ || !restarter_->waitsForSuccessor())) {
        requests_.close();
        pidFile_.remove();
        loop_->stop();
    }
}

// ---- details ------------------------------------------------------------------------------------

/// For a process that already has clients: it is better to serve without the file than not to serve.
void Generation::writePidFile() {
    try {
        pidFile_.write();
    } catch (const std::exception& error) {
        events_.emit("pid_file.failed", {{"reason", error.what()}});
    }
}

/// If this fails, the service continues: a restart can still be requested by signal.
void Generation::openRequests() {
    try {
        requests_.open();
    } catch (const std::exception& error) {
        events_.emit("restart.requests_failed", {{"reason", error.what()}});
    }
}

std::uint64_t Generation::inFlight() const {
    const auto connections = server_->connections();
    return static_cast<std::uint64_t>(
        std::count_if(connections.begin(), connections.end(), [](const auto& one) { return one.inFlight(); }));
}

std::string Generation::inodes() const {
    std::string list;
    for (const lifecycle::ListeningSocket& socket : inherited_.sockets) {
        list += (list.empty() ? "" : ",") + std::to_string(socket.inode());
    }
    return list;
}

std::string Generation::status(const std::string& what) const {
    return "generation " + std::to_string(generation_) + " " + what;
}

void Generation::logReport(const ShutdownResult& result) {
    events_.emit("restart.report", {{"old_pid", ::getpid()},
                                    {"new_pid", handover_.newPid},
                                    {"spawn", handover_.spawnTook},
                                    {"ready", handover_.readyTook},
                                    {"drain", wasCut_ ? Clock::now() - drainBegan_ : result.emptyAfter},
                                    {"in_flight", inFlightAtHandover_},
                                    {"answered_with_close", result.answeredWithClose},
                                    {"idle_closed", result.idleClosed},
                                    {"cut", result.cut}});
}

}  // namespace stage
