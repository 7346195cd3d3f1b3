#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "drain_thread.h"
#include "generation_state.h"
#include "heartbeat.h"
#include "lifecycle/context.h"
#include "lifecycle/event_log.h"
#include "lifecycle/http_server.h"
#include "lifecycle/inherited_sockets.h"
#include "lifecycle/own_command.h"
#include "lifecycle/pid_file.h"
#include "lifecycle/poll_loop.h"
#include "lifecycle/restart_requests.h"
#include "lifecycle/service_notifier.h"
#include "lifecycle/shutdown_signals.h"
#include "restarter.h"
#include "settings.h"
#include "start_guard.h"
#include "start_timeout.h"
#include "starter_link.h"

namespace stage {

/// One process that serves clients: it takes over from the previous generation, serves, hands over to the next one, and
/// drains. states.md has its states and transitions.
///
/// All decisions are made on the thread of run(). Whatever the shutdown needs is created before it serves, since later
/// the system may have no thread or descriptor left.
class Generation {
public:
    /// `signals` must also deliver SIGHUP and SIGUSR2.
    Generation(Settings settings, const lifecycle::OwnCommand& command, lifecycle::InheritedSockets inherited,
               lifecycle::ShutdownSignals& signals, lifecycle::EventLog& events);
    ~Generation();

    Generation(const Generation&) = delete;
    Generation& operator=(const Generation&) = delete;

    /// Blocks until the process should exit, and returns the exit code. Throws StartError and others.
    int run();

private:
    void createRestarter(const lifecycle::OwnCommand& command);
    void handleSignals();
    void createServerThreads();

    // Inputs.
    void onStarterMessage(const lifecycle::RestartMessage& message);
    void onStarterDisconnected();
    void onStarterExited();
    void onRestartRequested(bool bySignal);
    void onSuccessorExited(int code);
    void onDrained(const lifecycle::ShutdownResult& result);

    // Transitions.
    void serve();
    void handOver(const Handover& handover);
    void resume();
    void commitHandover();
    void shutDown(const std::string& cause, bool notify);
    void drain();
    void cutDrain();
    void exitIfDone();

    void writePidFile();
    void openRequests();
    std::uint64_t inFlight() const;
    std::string inodes() const;
    std::string status(const std::string& what) const;
    void logReport(const lifecycle::ShutdownResult& result);

    Settings settings_;
    lifecycle::InheritedSockets inherited_;
    const bool hasStarter_;
    StartGuard startGuard_;
    lifecycle::ShutdownSignals& signals_;
    lifecycle::EventLog& events_;
    const bool managed_;      // by a Supervisor
    const bool ownsSockets_;  // false if a service manager keeps them
    const unsigned generation_;
    const lifecycle::PidFile pidFile_;
    const lifecycle::ServiceNotifier notifier_;
    const lifecycle::CancelableContext notReady_ = withCancel(lifecycle::Context::background());
    std::unique_ptr<lifecycle::HttpServer> server_;

    // Signals may still arrive when this object is destroyed; what they post then is never run.
    const std::shared_ptr<lifecycle::PollLoop> loop_;
    lifecycle::DoneCallback whenStopped_;
    Heartbeat heartbeat_;
    lifecycle::RestartRequests requests_;
    StarterLink starter_;
    std::optional<StartTimeout> startTimeout_;
    std::unique_ptr<Restarter> restarter_;  // none if managed

    GenerationState state_ = GenerationState::starting;
    bool shuttingDown_ = false;
    bool drained_ = false;
    bool wasCut_ = false;
    lifecycle::TimePoint drainBegan_;  // at the handover or the shutdown
    Handover handover_;
    std::uint64_t inFlightAtHandover_ = 0;
    int exitCode_ = 0;
    std::unique_ptr<DrainThread> drainThread_;
};

}  // namespace stage
