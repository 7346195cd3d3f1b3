// Stage 05: a service that replaces itself. On SIGHUP it starts the new version of the program, hands it the
// listening sockets, waits until it serves, and only then stops accepting, drains, and exits. If the new version fails,
// the old one keeps serving. states.md has the state machine.
//
//   Generation   one process that serves clients: takes over, serves, hands over, drains
//   Restarter    starts the next generation from within the active one (--control parent-exits)
//   Supervisor   starts all generations from a process that keeps its pid (--control stable-pid)

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>

#include <Poco/Exception.h>

#include "generation.h"
#include "lifecycle/error_line.h"
#include "lifecycle/exit_code.h"
#include "lifecycle/regular_file.h"
#include "lifecycle/restart_requests.h"
#include "settings.h"
#include "signals_taken.h"
#include "supervisor.h"

namespace {

int printAndReturn(const std::exception& error, int code) {
    lifecycle::printError("05_hot_restart", error.what());
    return code;
}

/// EX_SOFTWARE of sysexits.h
constexpr int exitRestartFailed = 70;

/// --restart-of: requests a restart of another process; the exit code is its outcome.
int requestRestart(const std::string& pidFile) {
    using Kind = lifecycle::RestartOutcome::Kind;
    const lifecycle::RestartOutcome outcome = lifecycle::requestRestart(pidFile);
    const bool served = outcome.kind == Kind::served;
    std::fprintf(served ? stdout : stderr, "05_hot_restart: %s\n", outcome.text.c_str());
    return served ? lifecycle::exitClean
                  : outcome.kind == Kind::noService ? lifecycle::exitUnavailable : exitRestartFailed;
}

/// Redirects stderr to this file. Throws std::system_error, and then changes nothing.
void openLog(const std::string& path) {
    const lifecycle::FileDescriptor file = lifecycle::openRegularFile(path, O_WRONLY | O_APPEND | O_CREAT);
    if (::dup2(file.get(), STDERR_FILENO) == -1) {
        throw std::system_error(errno, std::generic_category(), "cannot use " + path);
    }
}

/// After a log rotation, which has renamed the file.
void reopenLog(const std::string& path, lifecycle::EventLog& events) {
    try {
        openLog(path);
        events.emit("log.reopened");
    } catch (const std::exception& error) {
        events.emit("log.failed", {{"reason", error.what()}, {"note", "still writing to the previous file"}});
    }
}

int run(int argc, char** argv) {
    // First: until these descriptors are close-on-exec, a child could inherit them.
    lifecycle::InheritedSockets inherited = lifecycle::InheritedSockets::fromEnvironment();

    stage::Settings settings;
    if (const auto exitCode = settings.parse(argc, argv)) {
        return *exitCode;
    }
    if (!settings.restartOf.empty()) {
        return requestRestart(settings.restartOf);
    }
    const lifecycle::OwnCommand command = lifecycle::OwnCommand::of(argc, argv);

    if (!settings.log.empty()) {
        openLog(settings.log);
    }
    lifecycle::EventLog events;
    const bool isSupervisor = settings.stablePid() && !inherited.starter;
    if (isSupervisor) {
        events.tag("role", "supervisor");
    } else {
        events.tag("generation", inherited.starter ? std::string(inherited.start.text("generation")) : "1");
    }
    lifecycle::ShutdownSignals signals(
        events, {.others = {stage::restartSignals.begin(), stage::restartSignals.end()},
                 .secondTermForces = settings.secondTerm == "force"});

    // Hooks around a signal: here around one that has no action of its own.
    signals.before(SIGUSR1, [&events] { events.emit("hook", {{"before", "SIGUSR1"}}); });
    if (!settings.log.empty()) {
        signals.before(SIGUSR1, [&events, path = settings.log] { reopenLog(path, events); });
    }
    signals.after(SIGUSR1, [&events] { events.emit("hook", {{"after", "SIGUSR1"}}); });

    if (isSupervisor) {
        return stage::Supervisor(settings, command, std::move(inherited), signals, events).run();
    }
    settings.readConfig();
    return stage::Generation(settings, command, std::move(inherited), signals, events).run();
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::invalid_argument& error) {
        return printAndReturn(error, lifecycle::exitUsage);
    } catch (const Poco::Exception& error) {
        return printAndReturn(std::runtime_error(error.displayText()), lifecycle::exitUnavailable);
    } catch (const std::exception& error) {
        return printAndReturn(error, lifecycle::exitUnavailable);
    }
}
