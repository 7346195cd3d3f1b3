#include "plan.h"

#include "lifecycle/grace_period.h"

namespace stage {
namespace {

using lifecycle::Duration;

// Between our deadline and the end of the grace period: to report, and for a busy machine.
constexpr Duration margin = std::chrono::seconds(1);

}  // namespace

void logPlan(const Settings& settings, lifecycle::EventLog& events) {
    events.emit(
        "plan",
        {{"lame_duck", settings.lameDuck}, {"timeout", settings.timeout}, {"margin", margin}});
    lifecycle::checkGracePeriod({settings.lameDuck, settings.timeout, margin}, settings.grace, events);
    if (settings.work > settings.timeout) {
        events.emit("plan.work", {{"work", settings.work},
                                  {"timeout", settings.timeout},
                                  {"warning", "work that has just begun will be cut"}});
    }
}

}  // namespace stage
