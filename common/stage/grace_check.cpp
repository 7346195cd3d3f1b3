#include "grace_check.h"

namespace stage {

using lifecycle::Duration;

void checkGrace(Duration atMost, Duration grace, lifecycle::EventLog& events) {
    if (grace == Duration::zero()) {
        events.emit("plan.total", {{"at_most", atMost}});
    } else if (atMost <= grace) {
        events.emit("plan.total", {{"at_most", atMost}, {"grace", grace}});
    } else {
        events.emit(
            "plan.total",
            {{"at_most", atMost},
             {"grace", grace},
             {"warning", "does not fit: the process may be killed before it has finished"}});
    }
}

}  // namespace stage
