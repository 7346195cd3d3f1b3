#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lifecycle/context.h"
#include "lifecycle/duration.h"
#include "lifecycle/filter.h"
#include "lifecycle/hooks.h"
#include "lifecycle/http_server.h"
#include "orders/order_store.h"

namespace stage {

/// Where the process stands.
enum class LifecycleState { running, lameDuck, draining, hooks, stopped };

/// "running", "lame duck" and so on.
std::string_view toString(LifecycleState state);

/// Everything there is to tell about the life of this process, at one moment.
struct StatusSnapshot {
    LifecycleState state = LifecycleState::running;
    std::string cause;                             ///< of the shutdown, "" before it
    lifecycle::Duration uptime{};
    std::optional<lifecycle::Duration> deadline;   ///< of the whole shutdown, from the signal on
    std::optional<lifecycle::Duration> remaining;  ///< of it
    std::vector<lifecycle::ConnectionInfo> connections;
    std::vector<lifecycle::HookReport> hooks;
    lifecycle::ShutdownResult requests;
    lifecycle::TimingFilter::Totals handlers;
    OrderStore::Counters orders;
    std::optional<int> exitCode;

    /// Requests that a shutdown waits for, the oldest first.
    std::vector<lifecycle::ConnectionInfo> inFlight() const;
};

/// What blocks the shutdown? Collects the answer from those who know it. All functions may be called
/// from every thread, at every time; none waits for the work that it tells about.
class LifecycleStatus {
public:
    /// All of them must outlive the status.
    struct Sources {
        const lifecycle::Hooks& hooks;
        const lifecycle::HttpServer& server;
        const lifecycle::TimingFilter& timing;
        const OrderStore& orders;
    };

    explicit LifecycleStatus(Sources sources);

    /// The shutdown has begun; `total` is the context of all of it.
    void begin(const std::string& cause, const lifecycle::Context& total);

    /// The shutdown is over.
    void end(int exitCode);

    /// Done from end() on.
    const lifecycle::Context& ended() const { return ended_.context; }

    StatusSnapshot snapshot() const;

private:
    const Sources sources_;
    const lifecycle::TimePoint start_ = lifecycle::Clock::now();
    const lifecycle::CancelableContext ended_;

    mutable std::mutex mutex_;  // guards what follows
    std::string cause_;
    std::optional<lifecycle::Context> total_;
    std::optional<lifecycle::Duration> deadline_;
    std::optional<int> exitCode_;
};

}  // namespace stage
