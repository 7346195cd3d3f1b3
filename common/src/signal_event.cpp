#include "lifecycle/signal_event.h"

namespace lifecycle {

void logSignal(EventLog& events, const SignalInfo& signal, Duration limit) {
    const std::string name = signalName(signal.number);
    if (signal.fromKernel) {
        events.emitWithin(limit, "signal",
                          {{"name", name}, {"number", signal.number}, {"sender_pid", signal.senderPid},
                           {"sender_uid", signal.senderUid}, {"note", "a key at the terminal"}});
    } else {
        events.emitWithin(limit, "signal",
                          {{"name", name}, {"number", signal.number}, {"sender_pid", signal.senderPid},
                           {"sender_uid", signal.senderUid}});
    }
}

}  // namespace lifecycle
