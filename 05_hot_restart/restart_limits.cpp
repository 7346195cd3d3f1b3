#include "restart_limits.h"

namespace stage {

void RestartLimits::onRollback() {
    if (++rollbacks_ >= maxRollbacks) {
        pauseEnd_ = lifecycle::addSaturated(lifecycle::Clock::now(), pause_);
    }
}

void RestartLimits::onExitAfter(lifecycle::Duration served) {
    if (served >= std::chrono::seconds(10)) {
        respawns_ = 0;
    }
}

std::optional<lifecycle::Duration> RestartLimits::nextRespawn() {
    if (respawns_ == maxRespawns) {
        return std::nullopt;
    }
    const unsigned before = respawns_++;
    return before == 0 ? lifecycle::Duration::zero() : std::chrono::milliseconds(50) * (1u << before);
}

std::optional<std::string> RestartLimits::rejectReason(unsigned alive) const {
    const lifecycle::Duration rest = pauseEnd_ - lifecycle::Clock::now();
    if (rest > lifecycle::Duration::zero()) {
        return std::to_string(rollbacks_) + " new generations in a row have died: none is started for another " +
               lifecycle::formatRounded(rest);
    }
    if (alive >= maxGenerations) {
        return std::to_string(alive) + " generations are alive, which is the maximum: wait for the oldest, "
               "or cut its drain with USR2";
    }
    return std::nullopt;
}

}  // namespace stage
