#include "restarter.h"

#include <unistd.h>

#include <csignal>
#include <exception>
#include <utility>

#include "lifecycle/exit_code.h"
#include "lifecycle/process_descriptor.h"

namespace stage {

using lifecycle::ChildExit;
using lifecycle::RestartMessage;
using lifecycle::Successor;

Restarter::Restarter(lifecycle::PollLoop& loop, const Settings& settings, lifecycle::SuccessorPlan plan,
                     unsigned generation, bool committed, std::vector<lifecycle::FileDescriptor> older,
                     lifecycle::RestartRequests& requests, Callbacks callbacks, lifecycle::EventLog& events)
    : loop_(loop),
      settings_(settings),
      plan_(std::move(plan)),
      generation_(generation),
      older_(std::move(older)),
      requests_(requests),
      callbacks_(std::move(callbacks)),
      events_(events),
      limits_(settings.rollbackWindow),
      committed_(committed) {
    for (const lifecycle::FileDescriptor& process : older_) {
        loop_.watch(process.get(), [this] { removeExitedGenerations(); });
    }
}

void Restarter::removeExitedGenerations() {
    std::erase_if(older_, [this](const lifecycle::FileDescriptor& process) {
        const bool exited = lifecycle::hasExited(process);
        if (exited) {
            loop_.forget(process.get());
        }
        return exited;
    });
}

void Restarter::killSuccessor() {
    const std::lock_guard lock(successorMutex_);
    forcedExit_ = true;
    if (successor_) {
        successor_->forceExit();
    }
}

void Restarter::removeSuccessor() {
    const std::lock_guard lock(successorMutex_);
    successor_.reset();
}

void Restarter::reject(const std::string& reason) {
    events_.emit("restart.refused", {{"reason", reason}});
    requests_.reject(reason);
    if (!shuttingDown_ && !handedOver_) {
        notifier_.reloading();
        notifier_.ready(::getpid(), status("keeps serving: restart refused: " + reason));
    }
}

std::string Restarter::status(const std::string& what) const {
    return "generation " + std::to_string(generation_) + " " + what;
}

void Restarter::request(bool bySignal) {
    removeExitedGenerations();
    if (::getpid() == 1) {
        reject("this is process 1, which must not exit: use --control stable-pid");
    } else if (shuttingDown_) {
        reject("the service is shutting down");
    } else if (handedOver_) {
        reject("this generation has handed over" +
               (successor_ ? ": the active one is process " + std::to_string(successor_->pid()) : ""));
    } else if (successor_) {
        restartPending_ = restartPending_ || bySignal;
        events_.emit("restart.queued", {{"note", "one more restart after this one"}});
    } else if (!committed_) {
        restartPending_ = true;
        events_.emit("restart.queued", {{"note", "starts when the rollback window of the last restart is over"}});
        callbacks_.onRestartDeferred();
    } else if (const auto reason = limits_.rejectReason(static_cast<unsigned>(older_.size()) + 1)) {
        reject(*reason);
    } else {
        startSuccessor();
    }
}

void Restarter::startPendingRestart() {
    if (std::exchange(restartPending_, false) || requests_.hasPending()) {
        request(true);
    }
}

void Restarter::onCommitted() {
    if (!std::exchange(committed_, true)) {
        startPendingRestart();
    }
}

void Restarter::startSuccessor() {
    events_.emit("restart.begin", {{"new_generation", generation_ + 1}});
    notifier_.reloading("starting generation " + std::to_string(generation_ + 1));
    requests_.restartBegan(generation_ + 1);
    lifecycle::SuccessorPlan plan = plan_;
    plan.fields.emplace_back("generation", std::to_string(generation_ + 1));
    for (const lifecycle::FileDescriptor& process : older_) {
        plan.older.push_back(process.get());
    }
    try {
        const lifecycle::FileDescriptor self = lifecycle::openProcess(::getpid());
        plan.older.push_back(self.get());
        auto successor = std::make_unique<Successor>(
            loop_, plan,
            Successor::Callbacks{
                .onServing = [this] { onSuccessorServing(); },
                .onFailed = [this](const std::string& reason, const ChildExit&) { onSuccessorFailed(reason); },
                .onExited = [this](const ChildExit& exit) { onSuccessorExited(exit); },
                .onMessage = [this](const RestartMessage& message) { onSuccessorMessage(message); }});
        {
            const std::lock_guard lock(successorMutex_);
            if (forcedExit_) {
                return;
            }
            successor_ = std::move(successor);
        }
        successor_->start(plan);
    } catch (const std::exception& error) {
        onSuccessorFailed(error.what());
        return;
    }
    events_.emit("restart.spawned", {{"new_pid", successor_->pid()}, {"took", successor_->spawnTook()}});
}

void Restarter::onSuccessorFailed(const std::string& reason) {
    const pid_t pid = successor_ ? successor_->pid() : 0;
    const bool mayHaveClients = successor_ && successor_->mayServe();
    if (mayHaveClients && !shuttingDown_) {
        callbacks_.resume();  // the pid file may name the successor
    }
    removeSuccessor();
    if (shuttingDown_) {
        events_.emit("restart.canceled", {{"new_pid", pid}, {"note", "the service shuts down: " + reason}});
        callbacks_.onSuccessorExited(lifecycle::exitClean);
        return;
    }
    if (pid != 0) {
        events_.emit("restart.failed",
                     {{"reason", reason}, {"new_pid", pid}, {"note", "this generation keeps serving"}});
    } else {
        events_.emit("restart.failed", {{"reason", reason}, {"note", "this generation keeps serving"}});
    }
    notifier_.ready(::getpid(), status("keeps serving: restart failed: " + reason));
    requests_.restartFailed(generation_ + 1, "restart failed: " + reason);
    startPendingRestart();
}

void Restarter::onSuccessorServing() {
    if (!shuttingDown_ && !successor_->hasExited()) {
        handOver();
    }
}

void Restarter::handOver() {
    handedOver_ = true;
    callbacks_.handOver({successor_->pid(), successor_->spawnTook(), successor_->readyTook()});
    notifier_.ready(successor_->pid(), "generation " + std::to_string(generation_ + 1) + " serves");
    rollbackWindow_ = loop_.in(settings_.rollbackWindow, [this] { commitHandover(); });
    if (std::exchange(restartPending_, false)) {
        successor_->send({"restart"});
    }
}

void Restarter::onSuccessorMessage(const RestartMessage& message) {
    if (message.word == "released") {
        if (!handedOver_ && !shuttingDown_) {
            handOver();  // It was told to shut down, and exited before onSuccessorServing().
        }
        commitHandover();
    } else if (message.word == "restart") {
        restartPending_ = rollbackWindow_ != 0;
    }
}

void Restarter::commitHandover() {
    if (handedOver_ && rollbackWindow_ != 0) {
        loop_.cancel(std::exchange(rollbackWindow_, 0));
        requests_.restartCommitted(generation_ + 1, successor_->pid());
        restartPending_ = false;  // now up to the successor
        successor_->send({"committed"});
        callbacks_.commitHandover();
    }
}

void Restarter::onSuccessorExited(const ChildExit& exit) {
    if (shuttingDown_) {
        removeSuccessor();
        callbacks_.onSuccessorExited(exit.signal != 0 ? lifecycle::exitForcedBy(exit.signal) : exit.code);
    } else if (!handedOver_) {
        onSuccessorFailed(exit.text());
    } else if (rollbackWindow_ != 0) {
        rollBack(exit);
    } else {
        events_.emit("restart.successor_ended", {{"pid", successor_->pid()}, {"end", exit.text()}});
        removeSuccessor();
    }
}

void Restarter::rollBack(const ChildExit& exit) {
    loop_.cancel(std::exchange(rollbackWindow_, 0));
    handedOver_ = false;
    callbacks_.resume();
    notifier_.ready(::getpid(), status("serves again: the new generation has exited: " + exit.text()));
    requests_.restartFailed(generation_ + 1, "rolled back: the new generation has exited: " + exit.text());
    limits_.onRollback();
    events_.emit("restart.rollback", {{"reason", exit.text()},
                                      {"new_pid", successor_->pid()},
                                      {"in_a_row", limits_.rollbacks()},
                                      {"note", "this generation serves again"}});
    removeSuccessor();  // reaps it: last, so that the pid file never named a pid that could be reused
    startPendingRestart();
}

void Restarter::shutDown() {
    shuttingDown_ = true;
    if (!successor_) {
        return;
    }
    if (!successor_->mayServe()) {
        events_.emit("restart.canceled", {{"new_pid", successor_->pid()}, {"note", "the service shuts down: killed"}});
        successor_->kill();
        removeSuccessor();
        return;
    }
    successor_->send({"shutdown", {{"notify", handedOver_ ? "1" : "0"}}});
    loop_.in(settings_.killTimeout(), [this] { killSuccessor(); });
}

}  // namespace stage
