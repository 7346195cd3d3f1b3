#pragma once

#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "heartbeat.h"
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

namespace stage {

/// One process that serves clients, from its start to its end: it takes over from the generation
/// before, serves, hands over to the next one, and finishes what it has accepted.
///
/// Everything is decided on the thread of run(); only the drain, which blocks, has one of its own. What the
/// shutdown needs is created before it serves: later the system may have no thread left.
class Generation {
public:
    /// `signals` takes SIGHUP and SIGUSR2, too.
    Generation(Settings settings, const lifecycle::OwnCommand& command, lifecycle::InheritedSockets inherited,
               lifecycle::ShutdownSignals& signals, lifecycle::EventLog& events);
    ~Generation();

    Generation(const Generation&) = delete;
    Generation& operator=(const Generation&) = delete;

    /// Blocks until the process should end, with the exit code. Throws StartError and others.
    int run();

private:
    enum class State {
        starting,    ///< accepts nobody yet
        serving,
        handedOver,  ///< accepts nobody, and could take the clients back
        draining,    ///< the same without a way back
    };

    void listenToSignals();
    void makeReady();
    void limitStart();
    void listenToStarter();
    void take(const lifecycle::RestartMessage& message);
    void takeOver();
    void starterHasClosed();
    void starterHasEnded();
    void serve();
    void writePidFile();
    void openRequests();
    std::string status(const std::string& what) const;

    void restart(bool bySignal);
    std::uint64_t inFlight() const;
    void handOver(const Handover& handover);
    void takeBack();
    void finish();
    void hammer();

    void end(const std::string& cause, bool quietly);
    void drain(lifecycle::TimePoint deadline);
    void drained(const lifecycle::ShutdownResult& result);
    void report(const lifecycle::ShutdownResult& result);
    void leave();
    void tellStarter(const lifecycle::RestartMessage& message);
    std::string inodes() const;

    Settings settings_;
    lifecycle::InheritedSockets inherited_;
    lifecycle::FileDescriptor starterProcess_;  // see openProcess; until this one serves, none if managed
    StartGuard startGuard_;
    lifecycle::ShutdownSignals& signals_;
    lifecycle::EventLog& events_;
    const bool managed_;  // by a Supervisor
    const bool ownsSockets_;  // this service, not a service manager that keeps them
    const unsigned generation_;
    const lifecycle::PidFile pidFile_;
    const lifecycle::ServiceNotifier notifier_;
    std::atomic<bool> ready_ = true;
    std::unique_ptr<lifecycle::HttpServer> server_;

    // Signals may still come when this object is gone; what they post then is never done.
    const std::shared_ptr<lifecycle::PollLoop> loop_;
    lifecycle::DoneCallback whenStopped_;
    Heartbeat heartbeat_;
    lifecycle::RestartRequests requests_;
    lifecycle::Context startLimit_ = lifecycle::Context::background();
    lifecycle::DoneCallback whenTooLate_;
    std::unique_ptr<Restarter> restarter_;

    State state_ = State::starting;
    bool ending_ = false;
    lifecycle::TimePoint endBegan_;
    Handover handover_;
    std::uint64_t inFlightAtHandover_ = 0;
    std::optional<lifecycle::CancelFunction> cutNow_;
    std::promise<std::optional<lifecycle::Context>> drainOrder_;  // nullopt: never
    std::thread drainThread_;
    bool isDrained_ = false;
    bool wasCut_ = false;
    int code_ = 0;
};

}  // namespace stage
