// Stage 01: how a process learns that it should exit.
//
// Without any code, Ctrl-C kills a process wherever it happens to be. Here the signals are blocked
// first, so that they wait instead of killing, and then taken one at a time by an ordinary
// function call: no signal handler, and none of the rules for what a handler may do.

#include <unistd.h>

#include <cstdio>

#include "lifecycle/event_log.h"
#include "lifecycle/exit_code.h"
#include "lifecycle/options.h"
#include "lifecycle/signal_event.h"
#include "lifecycle/signals.h"

namespace {

const char* describe(lifecycle::DefaultAction action) {
    switch (action) {
        case lifecycle::DefaultAction::terminate:
            return "terminate";
        case lifecycle::DefaultAction::dumpCore:
            return "core dump";
        case lifecycle::DefaultAction::ignore:
            return "ignore";
        case lifecycle::DefaultAction::stop:
            return "stop";
        case lifecycle::DefaultAction::resume:
            return "continue";
    }
    return "";
}

int listSignals() {
    std::printf("%6s  %-9s  %-9s  %-9s  %s\n", "number", "name", "default", "catchable", "what it is for");
    for (const lifecycle::SignalDescription& signal : lifecycle::standardSignals()) {
        std::printf("%6d  %-9s  %-9s  %-9s  %s\n", signal.number, signal.name.data(),
                    describe(signal.action), signal.catchable ? "yes" : "no", signal.purpose.data());
    }
    return lifecycle::exitClean;
}

}  // namespace

int main(int argc, char** argv) {
    std::string names = "HUP,INT,QUIT,TERM";
    std::vector<int> signals = lifecycle::parseSignalList(names);
    bool list = false;

    lifecycle::Options options("01_signals", "waits for a signal and says who sent it");
    options.value("signals", "LIST", names, "signals to wait for: names or numbers",
                  [&](const std::string& text) {
                      signals = lifecycle::parseSignalList(text);
                      names = text;
                  });
    options.flag("list", list, "show the signals there are");
    if (const auto exitCode = options.parse(argc, argv)) {
        return *exitCode;
    }
    if (list) {
        return listSignals();
    }

    lifecycle::EventLog events;
    lifecycle::blockSignals(signals);  // from here on they wait for us
    events.emit("ready", {{"pid", ::getpid()}, {"signals", names}});

    const lifecycle::SignalInfo signal = lifecycle::waitForSignal(signals);

    lifecycle::logSignal(events, signal);
    events.emit("exit", {{"code", lifecycle::exitClean}});
    return lifecycle::exitClean;
}
