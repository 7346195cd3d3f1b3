#include "supervisor.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <utility>

#include "lifecycle/exit_code.h"
#include "ready_event.h"
#include "signals_taken.h"

namespace stage {

using lifecycle::ChildExit;
using lifecycle::RestartMessage;
using lifecycle::Successor;
using State = GenerationState;

namespace {

int exitCodeOf(const ChildExit& exit) {
    return exit.signal != 0 ? lifecycle::exitForcedBy(exit.signal) : exit.code;
}

std::string nameOf(unsigned generation) {
    return "generation " + std::to_string(generation);
}

std::string microseconds(lifecycle::Duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

}  // namespace

Supervisor::Supervisor(const Settings& settings, const lifecycle::OwnCommand& command,
                       lifecycle::InheritedSockets inherited, lifecycle::ShutdownSignals& signals,
                       lifecycle::EventLog& events)
    : settings_(settings),
      inherited_(std::move(inherited)),
      ownsSockets_(inherited_.sockets.empty()),
      signals_(signals),
      events_(events),
      pidFile_(settings.pidFile),
      limits_(settings.rollbackWindow),
      loop_(std::make_shared<lifecycle::PollLoop>()),
      heartbeat_(*loop_, notifier_),
      requests_(*loop_, settings.pidFile, [this](pid_t pid, uid_t uid) {
          events_.emit("restart.requested", {{"sender_pid", pid}, {"sender_uid", uid}});
          onRestartRequested();
      }),
      orphans_(*loop_, [this](pid_t pid) { return workers_.contains(pid); }) {
    if (inherited_.sockets.empty()) {
        inherited_.sockets = settings.openSockets();
        startGuard_.opened(inherited_.sockets);
    }
    plan_ = {.command = command,
             .sockets = inherited_.pointers(),
             .fields = {{"control", "stable-pid"},
                        {"supervisor", std::to_string(::getpid())},
                        {"owns_sockets", ownsSockets_ ? "1" : "0"}},
             .environment = {"NOTIFY_SOCKET"},  // this process reports to the service manager
             .blockedSignals = {restartSignals.begin(), restartSignals.end()},
             .startTimeout = settings.startTimeout};
}

Supervisor::~Supervisor() {
    signals_.onForced({});
}

int Supervisor::run() {
    handleSignals();
    startWorker();
    loop_->run();
    pidFile_.remove();
    events_.emit("exit", {{"code", exitCode_}});
    return exitCode_;
}

void Supervisor::handleSignals() {
    const auto onLoop = [this](void (Supervisor::*action)()) {
        return [this, loop = loop_, action] { loop->post([this, action] { (this->*action)(); }); };
    };
    signals_.on(SIGHUP, onLoop(&Supervisor::onRestartRequested));
    signals_.on(SIGUSR2, onLoop(&Supervisor::cutDrains));
    for (const int number : {SIGUSR1, SIGTSTP}) {
        signals_.on(number, [this, loop = loop_, number] { loop->post([this, number] { forwardSignal(number); }); });
    }
    signals_.onForced([this] {
        pidFile_.remove();
        workers_.killAll();
    });
    whenStopped_ = signals_.context().onDone(
        [this] { loop_->post([this] { shutDown(signals_.context().cause()); }); });
}

// ---- inputs -------------------------------------------------------------------------------------

void Supervisor::onRestartRequested() {
    if (workers_.find(State::starting) != nullptr) {
        restartPending_ = true;
        events_.emit("restart.queued", {{"note", "one more restart after this one"}});
    } else if (const auto reason = rejectReason()) {
        events_.emit("restart.refused", {{"reason", *reason}});
        requests_.reject(*reason);
        if (!shuttingDown_) {
            notifier_.reloading();
            notifier_.ready(::getpid(), "restart refused: " + *reason);
        }
    } else {
        notifier_.reloading("starting " + nameOf(lastGeneration_ + 1));
        startWorker();
    }
}

std::optional<std::string> Supervisor::rejectReason() const {
    if (shuttingDown_) {
        return "the service is shutting down";
    }
    return limits_.rejectReason(workers_.count());
}

void Supervisor::onServing(Worker& worker) {
    if (shuttingDown_ || worker.process->hasExited()) {
        return;
    }
    if (rollbackWindow_ != 0) {
        commitHandover();  // The generation that was active until now is the better fallback.
    }
    Worker* const old = workers_.find(State::serving);
    worker.state = State::serving;
    worker.servingSince = lifecycle::Clock::now();
    if (old != nullptr) {
        handOver(*old, worker);
    } else {
        if (!std::exchange(hasServed_, true)) {
            becomeMainProcess();
        }
        logReady(events_, "ready", worker.generation, inherited_.sockets);
        requests_.restartCommitted(worker.generation, worker.process->pid());  // no rollback is possible
    }
    notifier_.ready(::getpid(), nameOf(worker.generation) + " serves");
    startPendingRestart();
}

void Supervisor::onMessage(Worker& worker, const RestartMessage& message) {
    if (message.word != "released" || shuttingDown_) {
        return;
    }
    if (message.text("shutdown") == "1") {
        // It was not this process that told it to. It closes the sockets for all processes.
        shutDown("process " + std::to_string(worker.process->pid()) + ", which served, was told to shut down");
    } else if (worker.state != State::serving) {  // otherwise it has been told to resume since
        onReleased(worker);
    }
}

void Supervisor::onFailed(Worker& worker, const std::string& reason, int code) {
    if (shuttingDown_) {
        events_.emit("restart.canceled",
                     {{"new_pid", worker.process->pid()}, {"note", "the service shuts down: " + reason}});
        remove(worker);
        if (workers_.empty()) {
            loop_->stop();
        }
        return;
    }
    const bool anyServes = workers_.find(State::serving) != nullptr;
    const unsigned generation = worker.generation;
    if (code == 0) {
        code = lifecycle::exitUnavailable;
    }
    events_.emit("restart.failed", {{"reason", reason},
                                    {"new_pid", worker.process ? worker.process->pid() : 0},
                                    {"note", anyServes ? "the old generation keeps serving" : "no generation serves"}});
    remove(worker);
    requests_.restartFailed(generation, "restart failed: " + reason);
    if (!anyServes) {
        respawn(code, "the service could not be started");
        return;
    }
    notifier_.ready(::getpid(), "the old generation keeps serving: restart failed: " + reason);
    startPendingRestart();
}

void Supervisor::onExited(Worker& worker, const ChildExit& exit) {
    const bool served = worker.state == State::serving;
    if (worker.state == State::starting) {  // exited before onServing()
        onFailed(worker, exit.text(), exitCodeOf(exit));
    } else if (shuttingDown_) {
        exitCode_ = std::max(exitCode_, exitCodeOf(exit));
        remove(worker);
        if (workers_.empty()) {
            loop_->stop();
        }
    } else if (served && workers_.find(State::standby) != nullptr) {
        rollBack(worker, exit);
    } else {
        events_.emit("worker.ended", {{"pid", worker.process->pid()}, {"end", exit.text()}});
        requests_.restartFailed(worker.generation, "the new generation has exited: " + exit.text());
        if (served) {
            limits_.onExitAfter(lifecycle::Clock::now() - worker.servingSince);
        } else {
            onReleased(worker);
        }
        remove(worker);
        if (served && workers_.find(State::starting) == nullptr) {
            respawn(exitCodeOf(exit), "the active generation has exited: " + exit.text());
        }
    }
}

// ---- transitions --------------------------------------------------------------------------------

void Supervisor::startWorker() {
    loop_->cancel(std::exchange(respawnTimer_, 0));
    const unsigned generation = ++lastGeneration_;
    requests_.restartBegan(generation);
    events_.emit("restart.begin", {{"new_generation", generation}});
    lifecycle::SuccessorPlan plan = plan_;
    plan.fields.emplace_back("generation", std::to_string(generation));
    Worker& worker = workers_.add(generation);
    try {
        worker.process = std::make_unique<Successor>(
            *loop_, plan,
            Successor::Callbacks{
                .onServing = [this, &worker] { onServing(worker); },
                .onFailed = [this, &worker](const std::string& reason,
                                            const ChildExit& exit) { onFailed(worker, reason, exitCodeOf(exit)); },
                .onExited = [this, &worker](const ChildExit& exit) { onExited(worker, exit); },
                .onMessage = [this, &worker](const RestartMessage& message) { onMessage(worker, message); }});
        worker.process->start(plan);
    } catch (const std::exception& error) {
        onFailed(worker, error.what(), lifecycle::exitUnavailable);
        return;
    }
    workers_.registerPid(worker);
    events_.emit("restart.spawned", {{"new_pid", worker.process->pid()}, {"took", worker.process->spawnTook()}});
}

void Supervisor::startPendingRestart() {
    if (std::exchange(restartPending_, false)) {
        onRestartRequested();
    }
}

void Supervisor::handOver(Worker& old, const Worker& next) {
    old.state = State::standby;
    old.successor = next.generation;
    old.successorPid = next.process->pid();
    old.process->send({"retire", {{"new_pid", std::to_string(next.process->pid())},
                                  {"spawn_us", microseconds(next.process->spawnTook())},
                                  {"ready_us", microseconds(next.process->readyTook())}}});
    rollbackWindow_ = loop_->in(settings_.rollbackWindow, [this] {
        limits_.onSuccess();
        commitHandover();
    });
}

/// The old generation no longer accepts: only now does the new one serve alone.
void Supervisor::onReleased(Worker& old) {
    const Worker* const next = workers_.find(State::serving);
    if (std::exchange(old.released, true)) {
        return;
    }
    if (next != nullptr) {
        logReady(events_, "ready", next->generation, inherited_.sockets);
    }
    if (old.state == State::draining) {
        requests_.restartCommitted(old.successor, old.successorPid);
    }
}

void Supervisor::commitHandover() {
    loop_->cancel(std::exchange(rollbackWindow_, 0));
    Worker* const old = workers_.find(State::standby);
    if (old != nullptr) {
        old->state = State::draining;
        old->process->send({"drain"});
    }
    // A client that requested the restart must not reach the old generation after the reply: see onReleased().
    const Worker* const active = workers_.find(State::serving);
    if (active != nullptr && (old == nullptr || old->released)) {
        requests_.restartCommitted(active->generation, active->process->pid());
    }
}

void Supervisor::rollBack(Worker& dead, const ChildExit& exit) {
    loop_->cancel(std::exchange(rollbackWindow_, 0));
    Worker& old = *workers_.find(State::standby);
    old.state = State::serving;
    old.released = false;
    old.process->send({"resume"});
    limits_.onRollback();
    notifier_.ready(::getpid(), nameOf(old.generation) + " serves again: the new one has exited: " + exit.text());
    requests_.restartFailed(dead.generation, "rolled back: the new generation has exited: " + exit.text());
    events_.emit("restart.rollback", {{"reason", exit.text()},
                                      {"new_pid", dead.process->pid()},
                                      {"in_a_row", limits_.rollbacks()},
                                      {"note", "the old generation serves again"}});
    remove(dead);
}

/// No generation serves or is about to. Meanwhile clients wait in the accept queue.
void Supervisor::respawn(int code, const std::string& cause) {
    const std::optional<lifecycle::Duration> pause = hasServed_ ? limits_.nextRespawn() : std::nullopt;
    if (!pause) {
        exitCode_ = code;
        shutDown(cause);
        return;
    }
    events_.emit("worker.respawn", {{"reason", cause}, {"in_a_row", limits_.respawns()}, {"after", *pause}});
    respawnTimer_ = loop_->in(*pause, [this] {
        if (!shuttingDown_) {
            startWorker();
        }
    });
}

void Supervisor::shutDown(const std::string& cause) {
    if (std::exchange(shuttingDown_, true)) {
        return;
    }
    requests_.close();
    notifier_.stopping("shutting down");
    heartbeat_.shutdown([this] { return "shutting down: " + std::to_string(workers_.count()) + " processes left"; });
    events_.emit("shutdown.begin", {{"cause", cause}, {"deadline", settings_.drainTimeout}});
    for (auto next = workers_.all().begin(); next != workers_.all().end();) {
        const Worker& worker = *next++;
        if (!worker.process->mayServe()) {
            events_.emit("restart.canceled",
                         {{"new_pid", worker.process->pid()}, {"note", "the service shuts down: killed"}});
            worker.process->kill();
            remove(worker);
        }
    }
    // These descriptors first: the workers accept what is queued, and when they have closed theirs, new connections are
    // refused.
    if (ownsSockets_) {
        removePaths(inherited_.sockets);
    }
    for (lifecycle::ListeningSocket& socket : inherited_.sockets) {
        socket.close();
    }
    for (const Worker& worker : workers_.all()) {
        worker.process->send({"shutdown"});
    }
    if (workers_.empty()) {
        loop_->stop();
    }
    loop_->in(settings_.killTimeout(), [this] { workers_.killAll(); });
}

void Supervisor::cutDrains() {
    bool any = false;
    for (const Worker& worker : workers_.all()) {
        if (worker.state == State::standby || worker.state == State::draining || shuttingDown_) {
            ::kill(worker.process->pid(), SIGUSR2);
            any = true;
        }
    }
    if (!any) {
        events_.emit("hammer.ignored", {{"note", "SIGUSR2 cuts what is left of a drain; no generation drains"}});
    }
}

// ---- details ------------------------------------------------------------------------------------

/// The first generation serves.
void Supervisor::becomeMainProcess() {
    pidFile_.write();
    startGuard_.serving();
    heartbeat_.start();
    try {
        requests_.open();
    } catch (const std::exception& error) {
        events_.emit("restart.requests_failed", {{"reason", error.what()}});
    }
}

void Supervisor::forwardSignal(int signal) {
    if (const Worker* const active = workers_.find(State::serving)) {
        ::kill(active->process->pid(), signal);
    }
}

void Supervisor::remove(const Worker& worker) {
    workers_.remove(worker);
    orphans_.reap();
}

}  // namespace stage
