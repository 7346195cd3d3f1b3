#include "lifecycle/signal_event.h"

#include <csignal>
#include <string>

namespace lifecycle {
namespace {

std::string_view terminalNote(const SignalInfo& signal) {
    if (!signal.fromKernel) {
        return "";
    }
    switch (signal.number) {
        case SIGINT:
        case SIGQUIT:
        case SIGTSTP:
            return "a key at the terminal";
        case SIGHUP:
            return "the terminal was closed";
        default:
            return "";
    }
}

}  // namespace

void logSignal(EventLog& events, const SignalInfo& signal, Duration limit, std::string_view note) {
    const std::string name = signalName(signal.number);
    if (note.empty()) {
        note = terminalNote(signal);
    }
    if (note.empty()) {
        events.emitWithin(limit, "signal",
                          {{"name", name}, {"number", signal.number}, {"sender_pid", signal.senderPid},
                           {"sender_uid", signal.senderUid}});
    } else {
        events.emitWithin(limit, "signal",
                          {{"name", name}, {"number", signal.number}, {"sender_pid", signal.senderPid},
                           {"sender_uid", signal.senderUid}, {"note", note}});
    }
}

}  // namespace lifecycle
