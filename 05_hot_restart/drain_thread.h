#pragma once

#include <functional>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include "lifecycle/context.h"
#include "lifecycle/duration.h"
#include "lifecycle/http_server.h"
#include "lifecycle/poll_loop.h"

namespace stage {

/// The thread that drains a server: HttpServer::shutdown blocks. It is created before the server has clients, since
/// later the system may have no thread left.
///
/// Used on the loop's thread only.
class DrainThread {
public:
    /// `onDrained` is called on the loop's thread. `server` and `loop` must outlive this object.
    DrainThread(lifecycle::HttpServer& server, lifecycle::PollLoop& loop,
                std::function<void(const lifecycle::ShutdownResult&)> onDrained);
    /// Blocks until the drain is over, if it has begun.
    ~DrainThread();

    DrainThread(const DrainThread&) = delete;
    DrainThread& operator=(const DrainThread&) = delete;

    /// Starts the drain. Called once.
    void begin(lifecycle::TimePoint deadline);

    /// Cuts what is left of it now instead of at its deadline. Must be called after begin().
    void cut(const std::string& cause) { (*cancel_)(cause); }

    /// Ends the thread; called in onDrained.
    void join() { thread_.join(); }

private:
    std::promise<std::optional<lifecycle::Context>> begin_;  // nullopt: no drain
    std::optional<lifecycle::CancelFunction> cancel_;
    std::thread thread_;
};

}  // namespace stage
