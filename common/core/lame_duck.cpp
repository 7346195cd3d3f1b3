#include "lifecycle/lame_duck.h"

namespace lifecycle {

void serveLameDuck(Duration duration, const Context& context, EventLog& events) {
    if (duration > Duration::zero()) {
        events.emit("lame_duck.begin", {{"duration", duration}});
        context.waitFor(duration);
        events.emit("lame_duck.end");
    }
}

}  // namespace lifecycle
