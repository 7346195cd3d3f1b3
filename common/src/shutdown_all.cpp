#include "lifecycle/shutdown_all.h"

#include <chrono>
#include <system_error>

#include "timer_queue.h"

namespace lifecycle {
namespace {

/// A server whose context is done cuts at once. What it takes for that and for the way there is not its failure.
constexpr Duration timeToCut = std::chrono::milliseconds(100);

}  // namespace

HooksReport shutdownAll(const std::vector<ServerToEnd>& servers, const Context& context,
                        EventLog* events) {
    // Hooks does not begin what its context has no time for, but every server must be shut down. So each is given
    // `context` itself, and the limit under which its return is waited for lies behind that.
    const auto [limit, end] = withCancel(Context::background());
    const DoneCallback whenDone = context.onDone([end = end, context] {
        detail::TimerQueue::instance().schedule(Clock::now() + timeToCut, [end, cause = context.cause()] { end(cause); });
    });
    Hooks concurrent(events);
    for (const ServerToEnd& server : servers) {
        const Hook hook{.name = server.name,
                        .timeout = addSaturated(context.remaining(), timeToCut),
                        .run = [shutdown = server.shutdown, context](const Context&) { shutdown(context); }};
        try {
            concurrent.insert(hook, true);
        } catch (const std::system_error&) {
            concurrent.insert(hook, false);
        }
    }
    return concurrent.run(limit);
}

}  // namespace lifecycle
