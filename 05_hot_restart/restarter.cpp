#include "restarter.h"

#include <unistd.h>

#include <csignal>
#include <exception>
#include <utility>

#include "lifecycle/exit_code.h"
#include "lifecycle/process_descriptor.h"

namespace stage {

using lifecycle::ChildEnd;
using lifecycle::RestartMessage;
using lifecycle::Successor;

Restarter::Restarter(lifecycle::PollLoop& loop, const Settings& settings, lifecycle::SuccessorPlan plan,
                     unsigned generation, bool settled, std::vector<lifecycle::FileDescriptor> older,
                     lifecycle::RestartRequests& requests, Clients clients, lifecycle::EventLog& events)
    : loop_(loop),
      settings_(settings),
      plan_(std::move(plan)),
      generation_(generation),
      older_(std::move(older)),
      requests_(requests),
      clients_(std::move(clients)),
      events_(events),
      limits_(settings.rollbackWindow),
      settled_(settled) {
    for (const lifecycle::FileDescriptor& process : older_) {
        loop_.watch(process.get(), [this] { forgetEnded(); });
    }
}

void Restarter::forgetEnded() {
    std::erase_if(older_, [this](const lifecycle::FileDescriptor& process) {
        const bool ended = lifecycle::hasEnded(process);
        if (ended) {
            loop_.forget(process.get());
        }
        return ended;
    });
}

void Restarter::killSuccessor() {
    const std::lock_guard lock(successorMutex_);
    noMore_ = true;
    if (successor_) {
        successor_->forceEnd();
    }
}

void Restarter::forgetSuccessor() {
    const std::lock_guard lock(successorMutex_);
    successor_.reset();
}

void Restarter::refuse(const std::string& reason) {
    events_.emit("restart.refused", {{"reason", reason}});
    requests_.refused(reason);
    if (!ending_ && !handedOver_) {
        notifier_.reloading();
        notifier_.ready(::getpid(), status("serves on: restart refused: " + reason));
    }
}

std::string Restarter::status(const std::string& what) const {
    return "generation " + std::to_string(generation_) + " " + what;
}

void Restarter::request(bool bySignal) {
    forgetEnded();
    if (::getpid() == 1) {
        refuse("this is process 1, with which everything here ends: use --control stable-pid");
    } else if (ending_) {
        refuse("the service is shutting down");
    } else if (handedOver_) {
        refuse("this generation has handed over: the service is process " + std::to_string(successor_ ? successor_->pid() : 0));
    } else if (successor_) {
        oneMore_ = oneMore_ || bySignal;
        events_.emit("restart.queued", {{"note", "one more restart, when this one is over"}});
    } else if (!settled_) {
        oneMore_ = true;
        events_.emit("restart.queued", {{"note", "when the rollback window of the last restart is over"}});
        clients_.restartWaits();
    } else if (const auto reason = limits_.refusal(static_cast<unsigned>(older_.size()) + 1)) {
        refuse(*reason);
    } else {
        start();
    }
}

void Restarter::requestAgain() {
    if (std::exchange(oneMore_, false) || requests_.areWaiting()) {
        request(true);
    }
}

void Restarter::settled() {
    if (!std::exchange(settled_, true)) {
        requestAgain();
    }
}

void Restarter::start() {
    events_.emit("restart.begin", {{"new_generation", generation_ + 1}});
    notifier_.reloading("starting generation " + std::to_string(generation_ + 1));
    requests_.begun(generation_ + 1);
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
                .serving = [this] { serving(); },
                .failed = [this](const std::string& reason, const ChildEnd&) { failed(reason); },
                .gone = [this](const ChildEnd& end) { gone(end); },
                .said = [this](const RestartMessage& message) {
                    if (message.word == "released") {
                        released();
                    } else if (message.word == "restart") {
                        oneMore_ = window_ != 0;
                    }
                }});
        {
            const std::lock_guard lock(successorMutex_);
            if (noMore_) {
                return;
            }
            successor_ = std::move(successor);
        }
        successor_->start(plan);
    } catch (const std::exception& error) {
        failed(error.what());
        return;
    }
    events_.emit("restart.spawned", {{"new_pid", successor_->pid()}, {"took", successor_->spawnTook()}});
}

void Restarter::failed(const std::string& reason) {
    const pid_t pid = successor_ ? successor_->pid() : 0;
    const bool hasServed = successor_ && successor_->mayServe();
    if (hasServed && !ending_) {
        clients_.takeBack();  // The pid file may name it.
    }
    forgetSuccessor();
    if (ending_) {
        events_.emit("restart.canceled", {{"new_pid", pid}, {"note", "the service ends: " + reason}});
        clients_.successorEnded(lifecycle::exitClean);
        return;
    }
    if (pid != 0) {
        events_.emit("restart.failed", {{"reason", reason}, {"new_pid", pid}, {"note", "this generation serves on"}});
    } else {
        events_.emit("restart.failed", {{"reason", reason}, {"note", "this generation serves on"}});
    }
    notifier_.ready(::getpid(), status("serves on: restart failed: " + reason));
    requests_.failed(generation_ + 1, "restart failed: " + reason);
    requestAgain();
}

void Restarter::serving() {
    if (!ending_ && !successor_->hasEnded()) {
        handOver();
    }
}

void Restarter::handOver() {
    handedOver_ = true;
    clients_.handOver({successor_->pid(), successor_->spawnTook(), successor_->readyTook()});
    notifier_.ready(successor_->pid(), "generation " + std::to_string(generation_ + 1) + " serves");
    window_ = loop_.in(settings_.rollbackWindow, [this] { windowIsOver(); });
    if (std::exchange(oneMore_, false)) {
        successor_->say({"restart"});
    }
}

void Restarter::released() {
    if (!handedOver_ && !ending_) {
        handOver();  // It was told to end, and has ended: the sockets are closed for everybody, see serving().
    }
    windowIsOver();
}

void Restarter::windowIsOver() {
    if (handedOver_ && window_ != 0) {
        loop_.cancel(std::exchange(window_, 0));
        requests_.served(generation_ + 1, successor_->pid());
        oneMore_ = false;  // The successor remembers it.
        successor_->say({"settled"});
        clients_.finish();
    }
}

void Restarter::gone(const ChildEnd& end) {
    if (ending_) {
        forgetSuccessor();
        clients_.successorEnded(end.signal != 0 ? lifecycle::exitForcedBy(end.signal) : end.code);
    } else if (!handedOver_) {
        failed(end.text());
    } else if (window_ != 0) {
        rollBack(end);
    } else {
        events_.emit("restart.successor_ended", {{"pid", successor_->pid()}, {"end", end.text()}});
        forgetSuccessor();
    }
}

void Restarter::rollBack(const ChildEnd& end) {
    loop_.cancel(std::exchange(window_, 0));
    handedOver_ = false;
    clients_.takeBack();
    notifier_.ready(::getpid(), status("serves again: the new generation has ended: " + end.text()));
    requests_.failed(generation_ + 1, "rolled back: the new generation has ended: " + end.text());
    limits_.rolledBack();
    events_.emit("restart.rollback", {{"reason", end.text()},
                                      {"new_pid", successor_->pid()},
                                      {"in_a_row", limits_.rollbacks()},
                                      {"note", "this generation serves again"}});
    forgetSuccessor();  // reaped last: until here the pid file never named a pid that was given away
    requestAgain();
}

void Restarter::end() {
    ending_ = true;
    if (!successor_) {
        return;
    }
    if (!successor_->mayServe()) {
        events_.emit("restart.canceled", {{"new_pid", successor_->pid()}, {"note", "the service ends: killed"}});
        successor_->kill();
        forgetSuccessor();
        return;
    }
    successor_->say({"end", {{"quietly", handedOver_ ? "0" : "1"}}});
    loop_.in(settings_.killTimeout(), [this] { killSuccessor(); });
}

}  // namespace stage
