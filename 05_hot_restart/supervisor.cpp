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

using lifecycle::ChildEnd;
using lifecycle::RestartMessage;
using lifecycle::Successor;

namespace {

int exitCodeOf(const ChildEnd& end) {
    return end.signal != 0 ? lifecycle::exitForcedBy(end.signal) : end.code;
}

std::string text(unsigned generation) {
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
          restart();
      }),
      orphans_(*loop_, [this](pid_t pid) { return isWorker(pid); }) {
    if (inherited_.sockets.empty()) {
        inherited_.sockets = settings.openSockets();
        startGuard_.opened(inherited_.sockets);
    }
    plan_ = {.command = command,
             .sockets = inherited_.pointers(),
             .fields = {{"control", "stable-pid"},
                        {"supervisor", std::to_string(::getpid())},
                        {"owns_sockets", ownsSockets_ ? "1" : "0"}},
             .environment = {"NOTIFY_SOCKET"},  // This process tells the service manager.
             .blockedSignals = {restartSignals.begin(), restartSignals.end()},
             .startTimeout = settings.startTimeout};
}

Supervisor::~Supervisor() {
    signals_.onForced({});
}

int Supervisor::run() {
    listenToSignals();
    start();
    loop_->run();
    pidFile_.remove();
    events_.emit("exit", {{"code", code_}});
    return code_;
}

void Supervisor::listenToSignals() {
    const auto onLoop = [this](void (Supervisor::*action)()) {
        return [this, loop = loop_, action] { loop->post([this, action] { (this->*action)(); }); };
    };
    signals_.on(SIGHUP, onLoop(&Supervisor::restart));
    signals_.on(SIGUSR2, onLoop(&Supervisor::hammer));
    for (const int number : {SIGUSR1, SIGTSTP}) {
        signals_.on(number, [this, loop = loop_, number] { loop->post([this, number] { passOn(number); }); });
    }
    signals_.onForced([this] {
        pidFile_.remove();
        killAll();
    });
    whenStopped_ =
        signals_.context().onDone([this] { loop_->post([this] { end(signals_.context().cause()); }); });
}

Supervisor::Workers::iterator Supervisor::find(Role role) {
    return std::find_if(workers_.begin(), workers_.end(), [role](const Worker& worker) { return worker.role == role; });
}

void Supervisor::remove(Workers::iterator worker) {
    {
        const std::lock_guard lock(pidsMutex_);
        if (worker->process) {
            pids_.erase(worker->process->pid());
        }
        workers_.erase(worker);  // reaps
    }
    orphans_.reap();
}

bool Supervisor::isWorker(pid_t pid) {
    const std::lock_guard lock(pidsMutex_);
    return pids_.contains(pid);
}

void Supervisor::killAll() {
    const std::lock_guard lock(pidsMutex_);
    for (const pid_t pid : pids_) {
        ::kill(pid, SIGKILL);
    }
}

// ---- restarts -----------------------------------------------------------------------------------

std::optional<std::string> Supervisor::refusal() {
    if (ending_) {
        return "the service is shutting down";
    }
    return limits_.refusal(static_cast<unsigned>(workers_.size()));
}

void Supervisor::restart() {
    if (find(Role::starting) != workers_.end()) {
        oneMore_ = true;
        events_.emit("restart.queued", {{"note", "one more restart, when this one is over"}});
    } else if (const auto reason = refusal()) {
        events_.emit("restart.refused", {{"reason", *reason}});
        requests_.refused(*reason);
        if (!ending_) {
            notifier_.reloading();
            notifier_.ready(::getpid(), "restart refused: " + *reason);
        }
    } else {
        notifier_.reloading("starting " + text(lastGeneration_ + 1));
        start();
    }
}

void Supervisor::start() {
    loop_->cancel(std::exchange(respawn_, 0));
    const unsigned generation = ++lastGeneration_;
    requests_.begun(generation);
    events_.emit("restart.begin", {{"new_generation", generation}});
    lifecycle::SuccessorPlan plan = plan_;
    plan.fields.emplace_back("generation", std::to_string(generation));
    const auto worker = workers_.insert(workers_.end(), {generation, Role::starting, nullptr});
    try {
        worker->process = std::make_unique<Successor>(
            *loop_, plan,
            Successor::Callbacks{.serving = [this, worker] { serving(worker); },
                                 .failed =
                                     [this, worker](const std::string& reason, const ChildEnd& end) {
                                         failed(worker, reason, exitCodeOf(end));
                                     },
                                 .gone = [this, worker](const ChildEnd& end) { gone(worker, end); },
                                 .said = [this, worker](const RestartMessage& message) { heard(worker, message); }});
        worker->process->start(plan);
    } catch (const std::exception& error) {
        failed(worker, error.what(), lifecycle::exitUnavailable);
        return;
    }
    {
        const std::lock_guard lock(pidsMutex_);
        pids_.insert(worker->process->pid());
    }
    events_.emit("restart.spawned", {{"new_pid", worker->process->pid()}, {"took", worker->process->spawnTook()}});
}

void Supervisor::serving(Workers::iterator worker) {
    if (ending_ || worker->process->hasEnded()) {
        return;
    }
    if (window_ != 0) {
        windowIsOver();  // The one that serves until now was the better fallback.
    }
    const auto old = find(Role::serving);
    worker->role = Role::serving;
    worker->servingSince = lifecycle::Clock::now();
    if (old != workers_.end()) {
        const Successor& process = *worker->process;
        old->role = Role::fallback;
        old->process->say({"retire", {{"new_pid", std::to_string(process.pid())},
                                      {"spawn_us", microseconds(process.spawnTook())},
                                      {"ready_us", microseconds(process.readyTook())}}});
        window_ = loop_->in(settings_.rollbackWindow, [this] {
            limits_.succeeded();
            windowIsOver();
        });
    } else {
        if (!std::exchange(hasServed_, true)) {
            pidFile_.write();
            startGuard_.serving();
            heartbeat_.start();
            try {
                requests_.open();
            } catch (const std::exception& error) {
                events_.emit("restart.requests_failed", {{"reason", error.what()}});
            }
        }
        tellReady(events_, "ready", worker->generation, inherited_.sockets);
        requests_.served(worker->generation, worker->process->pid());  // There is no way back to wait for.
    }
    notifier_.ready(::getpid(), text(worker->generation) + " serves");
    if (std::exchange(oneMore_, false)) {
        restart();
    }
}

void Supervisor::heard(Workers::iterator worker, const RestartMessage& message) {
    if (message.word != "released" || ending_) {
        return;
    }
    if (message.text("ends") == "1") {
        // Somebody has told it, and not this process. It closes the sockets for all of us.
        end("process " + std::to_string(worker->process->pid()) + ", which served, was told to end");
    } else if (worker->role != Role::serving) {  // else it has been told to resume meanwhile
        release(worker);
    }
}

/// The old generation no longer accepts: from here on the new one serves.
void Supervisor::release(Workers::iterator old) {
    const auto next = find(Role::serving);
    if (!std::exchange(old->released, true) && next != workers_.end()) {
        tellReady(events_, "ready", next->generation, inherited_.sockets);
    }
}

void Supervisor::failed(Workers::iterator worker, const std::string& reason, int code) {
    if (ending_) {
        events_.emit("restart.canceled", {{"new_pid", worker->process->pid()}, {"note", "the service ends: " + reason}});
        remove(worker);
        if (workers_.empty()) {
            loop_->stop();
        }
        return;
    }
    const bool anybodyServes = find(Role::serving) != workers_.end();
    const unsigned generation = worker->generation;
    if (code == 0) {
        code = lifecycle::exitUnavailable;
    }
    events_.emit("restart.failed", {{"reason", reason},
                                    {"new_pid", worker->process ? worker->process->pid() : 0},
                                    {"note", anybodyServes ? "the old generation serves on" : "nobody serves"}});
    remove(worker);
    requests_.failed(generation, "restart failed: " + reason);
    if (!anybodyServes) {
        replaceLast(code, "the service could not be started");
        return;
    }
    notifier_.ready(::getpid(), "the old generation serves on: restart failed: " + reason);
    if (std::exchange(oneMore_, false)) {
        restart();
    }
}

void Supervisor::windowIsOver() {
    loop_->cancel(std::exchange(window_, 0));
    if (const auto fallback = find(Role::fallback); fallback != workers_.end()) {
        fallback->role = Role::finishing;
        fallback->process->say({"finish"});
    }
    if (const auto active = find(Role::serving); active != workers_.end()) {
        requests_.served(active->generation, active->process->pid());
    }
}

void Supervisor::gone(Workers::iterator worker, const ChildEnd& end) {
    const bool served = worker->role == Role::serving;
    if (worker->role == Role::starting) {  // It has ended before it could be told that it serves.
        failed(worker, end.text(), exitCodeOf(end));
    } else if (ending_) {
        code_ = std::max(code_, exitCodeOf(end));
        remove(worker);
        if (workers_.empty()) {
            loop_->stop();
        }
    } else if (served && find(Role::fallback) != workers_.end()) {
        rollBack(worker, end);
    } else {
        events_.emit("worker.ended", {{"pid", worker->process->pid()}, {"end", end.text()}});
        requests_.failed(worker->generation, "the new generation has ended: " + end.text());
        if (served) {
            limits_.served(lifecycle::Clock::now() - worker->servingSince);
        } else {
            release(worker);
        }
        remove(worker);
        if (served && find(Role::starting) == workers_.end()) {
            replaceLast(exitCodeOf(end), "the process that served has ended: " + end.text());
        }
    }
}

/// No process serves or is about to. Meanwhile clients wait in the accept queue.
void Supervisor::replaceLast(int code, const std::string& cause) {
    const std::optional<lifecycle::Duration> pause = limits_.respawn();
    if (!hasServed_ || !pause) {
        code_ = code;
        end(cause);
        return;
    }
    events_.emit("worker.respawn", {{"reason", cause}, {"in_a_row", limits_.respawns()}, {"after", *pause}});
    respawn_ = loop_->in(*pause, [this] {
        if (!ending_) {
            start();
        }
    });
}

void Supervisor::rollBack(Workers::iterator dead, const ChildEnd& end) {
    loop_->cancel(std::exchange(window_, 0));
    const auto fallback = find(Role::fallback);
    fallback->role = Role::serving;
    fallback->released = false;
    fallback->process->say({"resume"});
    limits_.rolledBack();
    notifier_.ready(::getpid(), text(fallback->generation) + " serves again: the new one has ended: " + end.text());
    requests_.failed(dead->generation, "rolled back: the new generation has ended: " + end.text());
    events_.emit("restart.rollback", {{"reason", end.text()},
                                      {"new_pid", dead->process->pid()},
                                      {"in_a_row", limits_.rollbacks()},
                                      {"note", "the old generation serves again"}});
    remove(dead);
}

// ---- the other signals --------------------------------------------------------------------------

void Supervisor::hammer() {
    bool any = false;
    for (const Worker& worker : workers_) {
        if (worker.role == Role::fallback || worker.role == Role::finishing || ending_) {
            ::kill(worker.process->pid(), SIGUSR2);
            any = true;
        }
    }
    if (!any) {
        events_.emit("hammer.ignored", {{"note", "SIGUSR2 cuts what is left of a drain; nothing drains here"}});
    }
}

void Supervisor::passOn(int signal) {
    if (const auto worker = find(Role::serving); worker != workers_.end()) {
        ::kill(worker->process->pid(), signal);
    }
}

void Supervisor::end(const std::string& cause) {
    if (std::exchange(ending_, true)) {
        return;
    }
    requests_.close();
    notifier_.stopping("shutting down");
    heartbeat_.shutdown([this] { return "shutting down: " + std::to_string(workers_.size()) + " processes left"; });
    events_.emit("shutdown.begin", {{"cause", cause}, {"deadline", settings_.drainTimeout}});
    for (auto worker = workers_.begin(); worker != workers_.end();) {
        const auto next = std::next(worker);
        if (!worker->process->mayServe()) {
            events_.emit("restart.canceled",
                         {{"new_pid", worker->process->pid()}, {"note", "the service ends: killed"}});
            worker->process->kill();
            remove(worker);
        }
        worker = next;
    }
    // Ours first: what is in line now is for the workers, and when they close, nobody is left.
    if (ownsSockets_) {
        removePaths(inherited_.sockets);
    }
    for (lifecycle::ListeningSocket& socket : inherited_.sockets) {
        socket.close();
    }
    for (const Worker& worker : workers_) {
        worker.process->say({"end"});
    }
    if (workers_.empty()) {
        loop_->stop();
    }
    loop_->in(settings_.killTimeout(), [this] { killAll(); });
}

}  // namespace stage
