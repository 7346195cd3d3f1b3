#pragma once

#include <memory>
#include <optional>
#include <string>

#include "heartbeat.h"
#include "lifecycle/event_log.h"
#include "lifecycle/inherited_sockets.h"
#include "lifecycle/own_command.h"
#include "lifecycle/pid_file.h"
#include "lifecycle/poll_loop.h"
#include "lifecycle/restart_requests.h"
#include "lifecycle/service_notifier.h"
#include "lifecycle/shutdown_signals.h"
#include "lifecycle/successor.h"
#include "orphans.h"
#include "restart_limits.h"
#include "settings.h"
#include "start_guard.h"
#include "worker_table.h"

namespace stage {

/// Restarts with --control stable-pid: a process that keeps its pid, for whatever follows that pid (supervisord, systemd,
/// a container, a shell). It holds the listening sockets but serves no clients: it starts the generations, tells them
/// which one is active, forwards signals, and exits with their exit code. If the only generation dies, it starts another.
/// states.md has the transitions.
///
/// Used on the thread of run() only.
class Supervisor {
public:
    Supervisor(const Settings& settings, const lifecycle::OwnCommand& command, lifecycle::InheritedSockets inherited,
               lifecycle::ShutdownSignals& signals, lifecycle::EventLog& events);
    ~Supervisor();

    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    /// Blocks until the service has shut down, and returns its exit code. Throws StartError and others.
    int run();

private:
    void handleSignals();

    // Inputs.
    void onRestartRequested();
    void onServing(Worker& worker);
    void onMessage(Worker& worker, const lifecycle::RestartMessage& message);
    void onFailed(Worker& worker, const std::string& reason, int code);
    void onExited(Worker& worker, const lifecycle::ChildExit& exit);

    // Transitions.
    void startWorker();
    void startPendingRestart();
    void handOver(Worker& old, const Worker& next);
    void onReleased(Worker& old);
    void commitHandover();
    void rollBack(Worker& dead, const lifecycle::ChildExit& exit);
    void respawn(int code, const std::string& cause);
    void shutDown(const std::string& cause);
    void cutDrains();

    void becomeMainProcess();
    void forwardSignal(int signal);
    void remove(const Worker& worker);
    std::optional<std::string> rejectReason() const;

    const Settings& settings_;
    lifecycle::InheritedSockets inherited_;
    StartGuard startGuard_;
    lifecycle::SuccessorPlan plan_;
    const bool ownsSockets_;  // false if a service manager keeps them
    lifecycle::ShutdownSignals& signals_;
    lifecycle::EventLog& events_;
    const lifecycle::PidFile pidFile_;
    const lifecycle::ServiceNotifier notifier_;
    RestartLimits limits_;
    const std::shared_ptr<lifecycle::PollLoop> loop_;
    lifecycle::DoneCallback whenStopped_;
    Heartbeat heartbeat_;
    lifecycle::RestartRequests requests_;
    WorkerTable workers_;
    unsigned lastGeneration_ = 0;
    bool hasServed_ = false;
    bool restartPending_ = false;
    bool shuttingDown_ = false;
    int exitCode_ = 0;
    lifecycle::PollLoop::Timer rollbackWindow_ = 0;  // not 0 while it lasts
    lifecycle::PollLoop::Timer respawnTimer_ = 0;

    Orphans orphans_;
};

}  // namespace stage
