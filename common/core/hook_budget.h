#pragma once

#include <cstddef>
#include <vector>

#include "lifecycle/duration.h"

namespace lifecycle::detail {

/// How the phases of a shutdown share its total, see Hooks: a hook gets its own timeout while there is time, and later
/// phases keep equal shares of half the total, as far as they need them.
class HookBudget {
public:
    /// `phases`: the longest timeout in each phase, as the hooks of a phase run concurrently. `total` may be
    /// Duration::max().
    HookBudget(const std::vector<Duration>& phases, Duration total);

    /// How much a hook with that timeout gets in that phase, when `rest` of the total is left.
    Duration grant(std::size_t phase, Duration timeout, Duration rest) const;

private:
    Duration share_{};                   // of each phase
    std::vector<Duration> keptForLater_;  // by phase: what later ones keep
};

}  // namespace lifecycle::detail
