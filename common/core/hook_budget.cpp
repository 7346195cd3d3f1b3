#include "core/hook_budget.h"

#include <algorithm>

namespace lifecycle::detail {

HookBudget::HookBudget(const std::vector<Duration>& phases, Duration total) : keptForLater_(phases.size()) {
    if (!phases.empty() && total != Duration::max()) {
        share_ = total / (2 * static_cast<int>(phases.size()));
    }
    Duration kept{};
    for (std::size_t phase = phases.size(); phase-- > 0;) {
        keptForLater_[phase] = kept;
        kept = addSaturated(kept, std::min(phases[phase], share_));
    }
}

Duration HookBudget::grant(std::size_t phase, Duration timeout, Duration rest) const {
    if (rest == Duration::max()) {
        return timeout;
    }
    return std::min(timeout, std::max(rest - keptForLater_[phase], std::min(rest, share_)));
}

}  // namespace lifecycle::detail
