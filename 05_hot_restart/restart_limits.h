#pragma once

#include <optional>
#include <string>

#include "lifecycle/duration.h"

namespace stage {

/// When not to start a new generation: several in a row have died within their rollback window, or too many old ones
/// are still draining.
class RestartLimits {
public:
    static constexpr unsigned maxGenerations = 3;
    static constexpr unsigned maxRollbacks = 5;
    static constexpr unsigned maxRespawns = 5;

    explicit RestartLimits(lifecycle::Duration rollbackWindow) : pause_(lifecycle::multiplySaturated(10, rollbackWindow)) {}

    /// A restart was rolled back. From the fifth time in a row on, the next one has to wait for ten rollback windows.
    void onRollback();
    void onSuccess() { rollbacks_ = 0; }
    unsigned rollbacks() const { return rollbacks_; }

    /// The active generation died after it served that long. 10 s or more reset the count of respawns in a row.
    void onExitAfter(lifecycle::Duration served);
    /// How long to wait before a new generation is started after the only one died: zero the first time, then 100 ms,
    /// 200 ms, …; nothing after five in a row.
    std::optional<lifecycle::Duration> nextRespawn();
    unsigned respawns() const { return respawns_; }

    /// Why there can be no restart now; `alive` is the number of running generations.
    std::optional<std::string> rejectReason(unsigned alive) const;

private:
    const lifecycle::Duration pause_;
    unsigned rollbacks_ = 0;
    unsigned respawns_ = 0;
    lifecycle::TimePoint pauseEnd_{};
};

}  // namespace stage
