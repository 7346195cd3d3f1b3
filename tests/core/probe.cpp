// Does one thing with the library, named by the first argument, in a process of its own: signals,
// exit codes and closed descriptors concern whole processes.

#include "lifecycle/event_log.h"
#include "lifecycle/options.h"
#include "lifecycle/run_service.h"
#include "lifecycle/shutdown_outcome.h"
#include "lifecycle/shutdown_signals.h"
#include "lifecycle/signal_event.h"
#include "lifecycle/signals.h"
#include "lifecycle/wait_group.h"

#include <Poco/Exception.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle;

namespace {

using Arguments = std::vector<std::string>;

/// Waits for one of the signals in the list and says which.
int waitForOne(const Arguments& arguments, bool early) {
    const std::vector<int> numbers = parseSignalList(arguments.at(0));
    blockSignals(numbers);
    EventLog events;
    if (early) {
        ::kill(::getpid(), numbers.at(0));
    }
    events.emit("ready");
    logSignal(events, waitForSignal(numbers));
    return 0;
}

/// A service with something to destroy, which fails to start or shuts down with the named outcome.
int runProbeService(const std::string& how) {
    struct Destroyed {
        ~Destroyed() {
            std::puts("destroyed");
            std::fflush(stdout);
        }
    };
    return runService("probe", [&how](ShutdownSignals& signals, EventLog& events) {
        if (how == "throws") {
            throw std::runtime_error("no disk");
        }
        if (how == "throws-poco") {
            throw Poco::NotFoundException("no disk");
        }
        const Destroyed destroyed;
        events.emit("ready");
        signals.context().wait();
        return exitWith({.workCut = how == "work-cut",
                         .hookFailed = how == "hook-failed",
                         .stillRunning = how == "still-running"},
                        events);
    });
}

int writeToBrokenPipe() {
    blockSignals(std::array{SIGTERM});
    int ends[2];
    if (::pipe(ends) != 0 || ::close(ends[0]) != 0) {
        return 1;
    }
    return ::write(ends[1], "x", 1) == -1 ? 0 : 1;
}

/// Says when the shutdown begins, and then hangs like a program that cannot end.
int hangInShutdown(const Arguments& arguments) {
    EventLog events;
    const std::string how = arguments.empty() ? "" : arguments[0];
    if (how == "early") {
        blockSignals(std::array{SIGINT});
        ::kill(::getpid(), SIGINT);
    }
    if (how == "handler") {
        std::signal(SIGUSR1, [](int) { ::_exit(7); });
    }
    const auto others = how == "reload" ? std::vector<int>{SIGHUP} : std::vector<int>{};
    ShutdownSignals signals(events, {.others = others, .secondTermForces = how != "patient"});
    if (how == "leave") {
        return 0;
    }
    events.emit("ready", {{"pid", ::getpid()}});
    signals.context().wait();
    events.emit("stopping", {{"cause", signals.context().cause()},
                             {"err", toString(signals.context().err())}});
    static_cast<void>(Context::background().waitFor(60s));
    return 1;
}

/// Installs a crash handler, and crashes on a thread of the library.
int crashOnLibraryThread() {
    std::signal(SIGSEGV, [](int) { ::_exit(9); });
    void* const forbidden = ::mmap(nullptr, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    WaitGroup threads;
    threads.go([forbidden] { *static_cast<volatile char*>(forbidden) = 1; });
    static_cast<void>(threads.wait(Context::background()));
    return 1;
}

/// Says what is done around signals, and ends.
int tellHooks() {
    EventLog events;
    ShutdownSignals signals(events, {.others = {SIGUSR1}});
    signals.before(SIGUSR1, [&] { events.emit("before_usr1"); });
    signals.on(SIGUSR1, [&] { events.emit("usr1"); });
    signals.after(SIGUSR1, [&] { events.emit("after_usr1"); });
    signals.before(SIGTERM, [&] { events.emit("before_term"); });
    signals.after(SIGTERM, [&] { events.emit("after_term"); });
    events.emit("ready");
    signals.context().wait();
    return 0;
}

/// Exits with the number of the first descriptor opened after the log was made.
int firstDescriptor() {
    EventLog events;
    events.emit("ready");
    return ::socket(AF_INET, SOCK_STREAM, 0);
}

/// Reads options of each kind and prints their values.
int readOptions(const Arguments& arguments) {
    std::string name = "world";
    std::string empty;
    Duration timeout = 10s;
    Duration timeoutMargin = 1s;
    std::uint16_t port = 8080;
    unsigned threads = 256;
    std::string strategy = "graceful";
    bool verbose = false;
    Options options("probe", "shows what it was given");
    options.text("name", name, "whom to greet");
    options.text("empty", empty, "nothing by default");
    options.duration("timeout-margin", timeoutMargin, "a name that begins with another one");
    options.duration("timeout-extra", timeoutMargin, "and a second one");
    options.duration("timeout", timeout, "time for requests in flight");
    options.port("port", port, "port to listen on");
    options.number("threads", threads, 1, 1000, "number of threads");
    options.choice("strategy", strategy, {"graceful", "stop"}, "how to end");
    options.flag("verbose", verbose, "say more");

    std::vector<const char*> argv{"probe"};
    for (const std::string& argument : arguments) {
        argv.push_back(argument.c_str());
    }
    if (const auto code = options.parse(static_cast<int>(argv.size()), argv.data())) {
        return *code;
    }
    const std::string values = name + "|" + formatDuration(timeout) + "|" + std::to_string(port) +
                               "|" + std::to_string(threads) + "|" + strategy + "|" +
                               (verbose ? "verbose" : "quiet") + "\n";
    return ::write(STDOUT_FILENO, values.data(), values.size()) > 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    const Arguments arguments(argv + std::min(argc, 2), argv + argc);
    if (what == "wait") {
        return waitForOne(arguments, false);
    }
    if (what == "early") {
        return waitForOne(arguments, true);
    }
    if (what == "broken_pipe") {
        return writeToBrokenPipe();
    }
    if (what == "shutdown") {
        return hangInShutdown(arguments);
    }
    if (what == "hooks") {
        return tellHooks();
    }
    if (what == "crash") {
        return crashOnLibraryThread();
    }
    if (what == "first_descriptor") {
        return firstDescriptor();
    }
    if (what == "service") {
        return runProbeService(arguments.at(0));
    }
    if (what == "options") {
        return readOptions(arguments);
    }
    return 100;
}
