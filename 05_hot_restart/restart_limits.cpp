#include "restart_limits.h"

namespace stage {

void RestartLimits::rolledBack() {
    if (++rollbacks_ >= mostRollbacks) {
        pauseEnd_ = lifecycle::addSaturated(lifecycle::Clock::now(), pause_);
    }
}

void RestartLimits::served(lifecycle::Duration time) {
    if (time >= std::chrono::seconds(10)) {
        respawns_ = 0;
    }
}

std::optional<lifecycle::Duration> RestartLimits::respawn() {
    if (respawns_ == mostRespawns) {
        return std::nullopt;
    }
    const unsigned before = respawns_++;
    return before == 0 ? lifecycle::Duration::zero() : std::chrono::milliseconds(50) * (1u << before);
}

std::optional<std::string> RestartLimits::refusal(unsigned alive) const {
    const lifecycle::Duration rest = pauseEnd_ - lifecycle::Clock::now();
    if (rest > lifecycle::Duration::zero()) {
        return std::to_string(rollbacks_) + " new generations in a row have died: none is started for another " +
               lifecycle::formatRounded(rest);
    }
    if (alive >= mostGenerations) {
        return std::to_string(alive) + " generations are alive, and that is the most: wait for the oldest, "
               "or end it with USR2";
    }
    return std::nullopt;
}

}  // namespace stage
