#include "lifecycle/grace_period.h"

namespace lifecycle {

bool checkGracePeriod(std::initializer_list<Duration> steps, Duration grace, EventLog& events) {
    Duration total{};
    for (const Duration step : steps) {
        total = addSaturated(total, step);
    }
    if (grace == Duration::zero()) {
        events.emit("plan.total", {{"at_most", total}});
        return true;
    }
    if (total <= grace) {
        events.emit("plan.total", {{"at_most", total}, {"grace", grace}});
        return true;
    }
    events.emit("plan.total", {{"at_most", total},
                               {"grace", grace},
                               {"warning", "does not fit: the process may be killed before it has finished"}});
    return false;
}

}  // namespace lifecycle
