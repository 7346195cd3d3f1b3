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

    /// A generation that has died had served that long. After 10 s it starts to count from the beginning.
    void served(lifecycle::Duration time);
    /// One has died that nobody is left to replace: how long to wait before another one is started; nothing
    /// if that has been in vain five times in a row. At once for the first time, then 100 ms, 200 ms, …
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
