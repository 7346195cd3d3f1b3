#include "admin/lifecycle_status.h"

#include <algorithm>
#include <iterator>

#include "steps/shutdown_steps.h"

namespace stage {
namespace {

/// The first step that is not over says where a shutdown stands.
LifecycleState stateDuring(const std::vector<lifecycle::HookReport>& hooks) {
    const auto current = std::find_if(hooks.begin(), hooks.end(),
                                      [](const lifecycle::HookReport& hook) { return !hook.over(); });
    if (current == hooks.end() || current->phase > ShutdownStep::inFlight) {
        return LifecycleState::hooks;
    }
    return current->phase > ShutdownStep::lameDuck ? LifecycleState::draining : LifecycleState::lameDuck;
}

}  // namespace

std::string_view toString(LifecycleState state) {
    switch (state) {
        case LifecycleState::running:
            return "running";
        case LifecycleState::lameDuck:
            return "lame duck";
        case LifecycleState::draining:
            return "draining";
        case LifecycleState::hooks:
            return "hooks";
        case LifecycleState::stopped:
            return "stopped";
    }
    return "";
}

std::vector<lifecycle::ConnectionInfo> StatusSnapshot::inFlight() const {
    std::vector<lifecycle::ConnectionInfo> requests;
    std::copy_if(connections.begin(), connections.end(), std::back_inserter(requests),
                 [](const lifecycle::ConnectionInfo& connection) { return connection.inFlight(); });
    return requests;
}

LifecycleStatus::LifecycleStatus(Sources sources)
    : sources_(sources), ended_(withCancel(lifecycle::Context::background())) {}

void LifecycleStatus::begin(const std::string& cause, const lifecycle::Context& total) {
    const std::lock_guard lock(mutex_);
    cause_ = cause;
    total_ = total;
    deadline_ = total.remaining();
}

void LifecycleStatus::end(int exitCode) {
    {
        const std::lock_guard lock(mutex_);
        exitCode_ = exitCode;
    }
    ended_.cancel("stopped");
}

StatusSnapshot LifecycleStatus::snapshot() const {
    StatusSnapshot now;
    now.uptime = lifecycle::Clock::now() - start_;
    now.connections = sources_.server.connections();
    now.hooks = sources_.hooks.progress();
    now.requests = sources_.server.counters();
    now.handlers = sources_.timing.totals();
    now.orders = sources_.orders.counters();

    const std::lock_guard lock(mutex_);
    now.cause = cause_;
    now.deadline = deadline_;
    now.exitCode = exitCode_;
    if (total_) {
        now.state = exitCode_ ? LifecycleState::stopped : stateDuring(now.hooks);
        now.remaining = total_->remaining();
    }
    return now;
}

}  // namespace stage
