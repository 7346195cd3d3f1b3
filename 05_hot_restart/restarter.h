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

/// A handover as the old generation logs it: decided by the Restarter in its own process, or by a Supervisor, which
/// sends it over the channel.
struct Handover {
    pid_t newPid = 0;
    lifecycle::Duration spawnTook{};
    lifecycle::Duration readyTook{};
};

/// Restarts with --control parent-exits: the active generation starts its successor itself, hands over to it, and
/// resumes if the successor exits within the rollback window. states.md has the transitions.
///
/// Used on the loop's thread only, except for killSuccessor().
class Restarter {
public:
    /// The effects on this generation.
    struct Callbacks {
        std::function<void(const Handover&)> handOver;
        std::function<void()> resume;
        /// The rollback window is over: drain, then exit.
        std::function<void()> commitHandover;
        /// The successor has exited while the service shuts down; its exit code.
        std::function<void(int)> onSuccessorExited;
        /// A restart was requested before onCommitted(). The starter must know: it performs the restart if it resumes.
        std::function<void()> onRestartDeferred;
    };

    /// `committed` as after onCommitted(). `older`: descriptors of the generations that are still running.
    Restarter(lifecycle::PollLoop& loop, const Settings& settings, lifecycle::SuccessorPlan plan,
              unsigned generation, bool committed, std::vector<lifecycle::FileDescriptor> older,
              lifecycle::RestartRequests& requests, Callbacks callbacks, lifecycle::EventLog& events);

    /// Begins a restart, or queues one more, or logs why not. `bySignal`: by SIGHUP rather than by one of the
    /// RestartRequests, whose clients ask again when they are redirected.
    void request(bool bySignal);

    /// The process that started this one can no longer resume. Until then this one starts no new generation: at most
    /// two processes have a claim to the clients.
    void onCommitted();

    /// Ends the rollback window, if there is one: this generation will not resume any more.
    void commitHandover();

    /// The service shuts down: a successor that may have clients is told to shut down, any other one is killed.
    void shutDown();

    bool hasSuccessor() const { return successor_ != nullptr; }

    /// The service shuts down, and the successor has not exited yet.
    bool waitsForSuccessor() const { return shuttingDown_ && successor_ != nullptr; }

    /// For a forced exit, from any thread.
    void killSuccessor();

private:
    // Inputs.
    void onSuccessorServing();
    void onSuccessorMessage(const lifecycle::RestartMessage& message);
    void onSuccessorFailed(const std::string& reason);
    void onSuccessorExited(const lifecycle::ChildExit& exit);

    // Transitions.
    void startSuccessor();
    void startPendingRestart();
    void handOver();
    void rollBack(const lifecycle::ChildExit& exit);

    void reject(const std::string& reason);
    void removeExitedGenerations();
    void removeSuccessor();
    std::string status(const std::string& what) const;

    lifecycle::PollLoop& loop_;
    const Settings& settings_;
    const lifecycle::SuccessorPlan plan_;
    const unsigned generation_;
    std::vector<lifecycle::FileDescriptor> older_;  // generations that are still running
    lifecycle::RestartRequests& requests_;
    const Callbacks callbacks_;
    lifecycle::EventLog& events_;
    const lifecycle::ServiceNotifier notifier_;
    RestartLimits limits_;
    std::mutex successorMutex_;  // held to change successor_, and to use it on another thread
    std::unique_ptr<lifecycle::Successor> successor_;
    bool forcedExit_ = false;  // guarded by successorMutex_: no successor may be started any more
    bool committed_;
    bool restartPending_ = false;
    bool handedOver_ = false;
    bool shuttingDown_ = false;
    lifecycle::PollLoop::Timer rollbackWindow_ = 0;  // not 0 while it lasts
};

}  // namespace stage
