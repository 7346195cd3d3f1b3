#include "lifecycle/shutdown_all.h"

#include <system_error>

namespace lifecycle {

HooksReport shutdownAll(const std::vector<ServerToEnd>& servers, const Context& context,
                        EventLog* events) {
    Hooks concurrent(events);
    for (const ServerToEnd& server : servers) {
        const Hook hook{.name = server.name, .timeout = context.remaining(), .run = server.shutdown};
        try {
            concurrent.insert(hook, true);
        } catch (const std::system_error&) {
            concurrent.insert(hook, false);
        }
    }
    return concurrent.run(context);
}

}  // namespace lifecycle
