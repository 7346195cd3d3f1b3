#pragma once

#include <optional>
#include <string>

#include "lifecycle/duration.h"

namespace stage {

/// When not to start a new generation: many in a row have died right after they were ready, or too
/// many old ones still finish their requests.
class RestartLimits {
public:
    static constexpr unsigned mostGenerations = 3;
    static constexpr unsigned mostRollbacks = 5;
    static constexpr unsigned mostRespawns = 5;

    explicit RestartLimits(lifecycle::Duration rollbackWindow) : pause_(lifecycle::multiplySaturated(10, rollbackWindow)) {}

    /// The clients were taken back. From the fifth time in a row on, the next restart has to wait.
    void rolledBack();
    void succeeded() { rollbacks_ = 0; }
    unsigned rollbacks() const { return rollbacks_; }

    /// A generation died after serving that long. 10 s or more reset the count of deaths in a row.
    void served(lifecycle::Duration time);
    /// The serving generation died and there is no other: how long to wait before a new one is started; nothing
    /// after five in a row. Zero for the first, then 100 ms, 200 ms, …
    std::optional<lifecycle::Duration> respawn();
    unsigned respawns() const { return respawns_; }

    /// Why there can be no restart now; `alive` is how many generations live.
    std::optional<std::string> refusal(unsigned alive) const;

private:
    const lifecycle::Duration pause_;
    unsigned rollbacks_ = 0;
    unsigned respawns_ = 0;
    lifecycle::TimePoint pauseEnd_{};
};

}  // namespace stage
