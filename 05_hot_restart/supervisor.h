#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
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

namespace stage {

/// Restarts with --control stable-pid: a process that stays, for those who follow one pid
/// (supervisord, systemd, a container, a shell). It holds the listening sockets and serves nobody:
/// it starts the generations, passes signals on, and exits with their exit code. If the serving generation
/// dies and there is no other, it starts a new one.
///
/// Used on the thread of run() alone, apart from killAll().
class Supervisor {
public:
    Supervisor(const Settings& settings, const lifecycle::OwnCommand& command, lifecycle::InheritedSockets inherited,
               lifecycle::ShutdownSignals& signals, lifecycle::EventLog& events);
    ~Supervisor();

    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    /// Blocks until the service has ended, with its exit code. Throws StartError and others.
    int run();

private:
    enum class Role {
        starting,
        serving,
        fallback,   ///< has handed over, and could take the clients back
        finishing,
    };
    struct Worker {
        unsigned generation;
        Role role;
        std::unique_ptr<lifecycle::Successor> process;
        bool released = false;  ///< accepts nobody any more
        lifecycle::TimePoint servingSince{};
    };
    using Workers = std::list<Worker>;

    void listenToSignals();
    Workers::iterator find(Role role);
    std::optional<std::string> refusal();
    void restart();
    void start();
    void serving(Workers::iterator worker);
    void heard(Workers::iterator worker, const lifecycle::RestartMessage& message);
    void failed(Workers::iterator worker, const std::string& reason, int code);
    void gone(Workers::iterator worker, const lifecycle::ChildEnd& end);
    void rollBack(Workers::iterator dead, const lifecycle::ChildEnd& end);
    void release(Workers::iterator old);
    void replaceLast(int code, const std::string& cause);
    void windowIsOver();
    void hammer();
    void passOn(int signal);
    void end(const std::string& cause);
    void remove(Workers::iterator worker);
    bool isWorker(pid_t pid);
    void killAll();

    const Settings& settings_;
    lifecycle::InheritedSockets inherited_;
    StartGuard startGuard_;
    lifecycle::SuccessorPlan plan_;
    const bool ownsSockets_;  // not a service manager that keeps them
    lifecycle::ShutdownSignals& signals_;
    lifecycle::EventLog& events_;
    const lifecycle::PidFile pidFile_;
    const lifecycle::ServiceNotifier notifier_;
    RestartLimits limits_;
    const std::shared_ptr<lifecycle::PollLoop> loop_;
    lifecycle::DoneCallback whenStopped_;
    Heartbeat heartbeat_;
    lifecycle::RestartRequests requests_;
    Workers workers_;
    unsigned lastGeneration_ = 0;
    bool hasServed_ = false;
    bool oneMore_ = false;
    bool ending_ = false;
    int code_ = 0;
    lifecycle::PollLoop::Timer window_ = 0;
    lifecycle::PollLoop::Timer respawn_ = 0;

    std::mutex pidsMutex_;
    std::set<pid_t> pids_;  // guarded by pidsMutex_: of the workers that are not reaped

    Orphans orphans_;  // those that as process 1 it is left
};

}  // namespace stage
