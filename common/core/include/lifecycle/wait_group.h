#pragma once

#include <functional>
#include <optional>

#include "lifecycle/gate.h"

namespace lifecycle {

/// Tracks work that continues after the response to its request, so that a shutdown can wait for it:
/// Go's sync.WaitGroup with two of its traps removed. The count is a guard that cannot be forgotten
/// or given back twice, and adding after the wait has begun fails instead of being a race.
///
///     WaitGroup jobs;
///     auto guard = jobs.tryAdd();          // before the response promises anything
///     if (!guard) { reject(); return; }
///     std::thread([guard = std::move(*guard)] { … }).detach();
///     …
///     if (!jobs.wait(context)) { report(jobs.count()); }
///
/// All functions may be called from every thread. The group must outlive its guards.
class WaitGroup {
public:
    using Guard = Gate::Guard;

    /// One more piece of work, done when the guard is destroyed. Empty once a wait has begun.
    [[nodiscard]] std::optional<Guard> tryAdd() noexcept { return gate_.tryEnter(); }

    /// Runs `work` on a thread of its own and tracks it; false, and no call, once a wait has begun.
    /// An exception that leaves `work` ends the process, as it does in every std::thread. Throws
    /// std::system_error when no thread can be started.
    bool go(std::function<void()> work);

    /// How many pieces of work are not done.
    std::uint64_t count() const noexcept { return gate_.count(); }

    /// Accepts no more work, then blocks until all is done (true) or the context is (false).
    bool wait(const Context& context) {
        gate_.close();
        return gate_.wait(context);
    }

private:
    Gate gate_;
};

}  // namespace lifecycle
