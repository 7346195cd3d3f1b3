#include "lifecycle/shutdown_all.h"

namespace lifecycle {

HooksReport shutdownAll(const std::vector<ServerToEnd>& servers, const Context& context,
                        EventLog* events) {
    Hooks sideBySide(events);
    for (const ServerToEnd& server : servers) {
        sideBySide.add({.name = server.name, .timeout = context.remaining(), .run = server.shutdown});
    }
    return sideBySide.run(context);
}

}  // namespace lifecycle
