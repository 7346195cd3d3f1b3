#pragma once

#include <functional>
#include <string_view>

#include "lifecycle/event_log.h"
#include "lifecycle/shutdown_signals.h"

namespace lifecycle {

/// What main() of a service consists of: takes the signals that ask for a shutdown, before any thread is started, calls
/// `service` on the calling thread, and returns what it returns: the exit code, see exitWith. `service` starts, serves
/// until signals.context() is done, and shuts down.
///
/// `service` throws if it cannot start. Then the message is printed to standard error, as one line that begins with
/// `program`, and the result is exitUnavailable. Throws nothing itself.
///
///     int main(int, char** argv) {
///         return runService(argv[0], [](ShutdownSignals& signals, EventLog& events) {
///             HttpServer server(new MyHandlerFactory, {.address = {"127.0.0.1", 8080}, .events = &events});
///             server.start();
///             signals.context().wait();
///             const auto result = server.shutdown(withTimeout(Context::background(), 10s).context);
///             return exitWith({.workCut = !result.clean()}, events);
///         });
///     }
int runService(std::string_view program, const std::function<int(ShutdownSignals&, EventLog&)>& service,
               const ShutdownSignalsOptions& options = {});

}  // namespace lifecycle
