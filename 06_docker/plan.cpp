#include "plan.h"

#include "grace_check.h"

namespace stage {
namespace {

using lifecycle::Duration;

// Between our deadline and the end of the grace period: to say how it went, and for a busy machine.
constexpr Duration margin = std::chrono::seconds(1);

}  // namespace

void tellPlan(const Settings& settings, lifecycle::EventLog& events) {
    events.emit(
        "plan",
        {{"lame_duck", settings.lameDuck}, {"timeout", settings.timeout}, {"margin", margin}});
    checkGrace(lifecycle::addSaturated(lifecycle::addSaturated(settings.lameDuck, settings.timeout), margin), settings.grace, events);
    if (settings.work > settings.timeout) {
        events.emit("plan.work", {{"work", settings.work},
                                  {"timeout", settings.timeout},
                                  {"warning", "work that has just begun will be cut"}});
    }
}

}  // namespace stage
