#include "start_timeout.h"

#include <unistd.h>

#include "lifecycle/exit_code.h"

namespace stage {
namespace {

/// How long the log may wait for its reader before the process exits.
constexpr lifecycle::Duration logLimit = std::chrono::milliseconds(20);

}  // namespace

StartTimeout::StartTimeout(lifecycle::EventLog& events, lifecycle::Duration limit)
    : limit_(withTimeout(lifecycle::Context::background(), limit).context),
      callback_(limit_.onDone([&events, limit] {
          events.emitWithin(logLimit, "exit", {{"code", lifecycle::exitUnavailable},
                                               {"note", "not serving after " + lifecycle::formatDuration(limit)}});
          ::_exit(lifecycle::exitUnavailable);
      })) {}

}  // namespace stage
