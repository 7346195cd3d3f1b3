#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lifecycle/event_log.h"
#include "lifecycle/restart_requests.h"
#include "lifecycle/service_notifier.h"
#include "lifecycle/successor.h"
#include "restart_limits.h"
#include "settings.h"

namespace stage {

/// What the process that serves is told by whoever manages the restarts: the Restarter in the same
/// process, or a Supervisor over the channel.
struct Handover {
    pid_t newPid = 0;
    lifecycle::Duration spawnTook{};
    lifecycle::Duration readyTook{};
};

/// Restarts with --control parent-exits: the process that serves starts the next one itself, hands
/// its clients over, takes them back if that one dies soon, and otherwise is done.
///
/// Used on the loop's thread alone, apart from killSuccessor().
class Restarter {
public:
    /// What happens to this process's clients, and what the process that started it must be sent.
    struct Clients {
        std::function<void(const Handover&)> handOver;
        std::function<void()> takeBack;
        /// No way back: finish what is left, and end.
        std::function<void()> finish;
        /// The successor has ended while the service ends; its exit code.
        std::function<void(int)> successorEnded;
        /// A restart was asked for, and waits for settled(): the starter does it if it takes the clients back.
        std::function<void()> restartWaits;
    };

    /// `settled` as after settled().
    Restarter(lifecycle::PollLoop& loop, const Settings& settings, lifecycle::SuccessorPlan plan,
              unsigned generation, bool settled, std::vector<lifecycle::FileDescriptor> older,
              lifecycle::RestartRequests& requests, Clients clients, lifecycle::EventLog& events);

    /// Begins a restart, or remembers that one more is wanted, or logs why not. `bySignal`: by SIGHUP rather than
    /// by one of the RestartRequests, whose clients ask again once this process no longer serves.
    void request(bool bySignal);

    /// The process that started this one can no longer take the clients back. Until then this one starts no new
    /// generation: at most two processes have a claim to the clients.
    void settled();

    /// The rollback window ends, if there is one: the clients are not taken back any more.
    void windowIsOver();

    /// The service ends: a successor that does not serve yet is killed, one that does is told.
    void end();

    bool hasSuccessor() const { return successor_ != nullptr; }

    /// end() has told a successor, which has not ended yet.
    bool waitsForSuccessor() const { return ending_ && successor_ != nullptr; }

    /// For the forced end, from any thread.
    void killSuccessor();

private:
    void forgetEnded();
    void refuse(const std::string& reason);
    std::string status(const std::string& what) const;
    void start();
    void serving();
    void handOver();
    void released();
    void failed(const std::string& reason);
    void gone(const lifecycle::ChildEnd& end);
    void rollBack(const lifecycle::ChildEnd& end);
    void requestAgain();
    void forgetSuccessor();

    lifecycle::PollLoop& loop_;
    const Settings& settings_;
    const lifecycle::SuccessorPlan plan_;
    const unsigned generation_;
    std::vector<lifecycle::FileDescriptor> older_;  // generations that live
    lifecycle::RestartRequests& requests_;
    const Clients clients_;
    lifecycle::EventLog& events_;
    const lifecycle::ServiceNotifier notifier_;
    RestartLimits limits_;
    std::mutex successorMutex_;  // held to change successor_, and to use it on another thread
    std::unique_ptr<lifecycle::Successor> successor_;
    bool noMore_ = false;  // guarded by successorMutex_: this process is forced to end
    bool settled_;
    bool oneMore_ = false;
    bool handedOver_ = false;
    bool ending_ = false;
    lifecycle::PollLoop::Timer window_ = 0;
};

}  // namespace stage
