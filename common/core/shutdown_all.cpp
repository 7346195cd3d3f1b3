#include "lifecycle/shutdown_all.h"

#include <chrono>
#include <system_error>

#include "core/timer_queue.h"

namespace lifecycle {
namespace {

/// A server whose context is done cuts at once. The time that this takes is not counted as a timeout.
constexpr Duration timeToCut = std::chrono::milliseconds(100);

}  // namespace

HooksReport shutdownAll(const std::vector<ServerToShutDown>& servers, const Context& context,
                        EventLog* events) {
    // Hooks skips what its context leaves no time for, but every server must be shut down. So each server gets
    // `context` itself, and the limit for its return is later than that.
    const auto [limit, end] = withCancel(Context::background());
    Hooks concurrent(events);
    for (const ServerToShutDown& server : servers) {
        const Hook hook{.name = server.name,
                        .timeout = addSaturated(context.remaining(), timeToCut),
                        .run = [shutdown = server.shutdown, context](const Context&) { shutdown(context); }};
        try {
            concurrent.insert(hook, true);
        } catch (const std::system_error&) {
            concurrent.insert(hook, false);
        }
    }
    // Only now: starting the threads may have taken longer than a server's time to cut.
    const DoneCallback whenDone = context.onDone([end = end, context] {
        detail::TimerQueue::instance().schedule(Clock::now() + timeToCut, [end, cause = context.cause()] { end(cause); });
    });
    return concurrent.run(limit);
}

}  // namespace lifecycle
