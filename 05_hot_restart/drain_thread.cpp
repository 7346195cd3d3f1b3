#include "drain_thread.h"

#include <utility>

namespace stage {

using lifecycle::Context;
using lifecycle::ShutdownResult;

DrainThread::DrainThread(lifecycle::HttpServer& server, lifecycle::PollLoop& loop,
                         std::function<void(const ShutdownResult&)> onDrained)
    : thread_([&server, &loop, onDrained = std::move(onDrained), begin = begin_.get_future()]() mutable {
          if (const std::optional<Context> context = begin.get()) {
              const ShutdownResult result = server.shutdown(*context);
              loop.post([onDrained, result] { onDrained(result); });
          }
      }) {}

DrainThread::~DrainThread() {
    if (!cancel_) {
        begin_.set_value(std::nullopt);
    }
    if (thread_.joinable()) {
        thread_.join();
    }
}

void DrainThread::begin(lifecycle::TimePoint deadline) {
    const auto [context, cancel] = withDeadline(Context::background(), deadline);
    cancel_ = cancel;
    begin_.set_value(context);
}

}  // namespace stage
