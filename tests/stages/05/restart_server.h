#pragma once

#include "http_client.h"
#include "load.h"
#include "logged_process.h"
#include "temp_dir.h"

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace lifecycle::test {

/// Stage 05 on a free port, with a configuration and a pid file in a directory of its own, and all
/// the generations that follow. Its constructor returns when clients are served.
///
/// Generations outlive their parents: they become children of the test itself, which reaps them.
class RestartServer {
public:
    /// Requests take no time unless `options` say otherwise.
    explicit RestartServer(const std::vector<std::string>& options = {}, ProcessOptions process = {});
    /// The same for a wrapper command that execs the program: its name and what comes before it.
    RestartServer(const std::vector<std::string>& command, const std::vector<std::string>& options,
                  ProcessOptions process);
    RestartServer(const RestartServer&) = delete;
    RestartServer& operator=(const RestartServer&) = delete;
    ~RestartServer();

    /// The first process that was started, and what all of them write.
    const LoggedProcess* operator->() const { return process_.get(); }
    int port() const { return port_; }
    const std::filesystem::path& directory() const { return directory_.path(); }

    /// The new content of the configuration file.
    void configure(const std::string& content) const;

    /// The pid in the pid file; 0 if there is none.
    pid_t pid() const;

    /// Sends a signal to the process in the pid file.
    void signal(int number) const;

    /// SIGHUP, and waits until the next generation serves and the one before has stopped accepting. Checks
    /// that it has this number; the event by which its process has said that it serves.
    Event restart(int generation) const;
    Event waitForGeneration(int generation, Deadline deadline = std::chrono::seconds(30)) const;

    /// Waits until there have been `count` events of that word; the last of them.
    Event waitForEvents(const std::string& word, std::size_t count,
                        Deadline deadline = std::chrono::seconds(30)) const;

    Connection connect() const;
    /// The answer to GET / on a connection of its own.
    std::string greeting() const { return get(port_, "/").body; }

    /// The pids of all generations that have been ready, in order.
    std::vector<pid_t> pids() const;

    /// Ends the service by SIGTERM and waits until every generation is gone; the exit code of the one
    /// that was told, -1 if a parent has reaped it.
    int end(Deadline deadline = std::chrono::seconds(30));

    /// Waits for the end of one process; false if it lives at the deadline.
    bool waitForEnd(pid_t pid, Deadline deadline = std::chrono::seconds(30)) const;

private:
    void start(std::vector<std::string> command, const std::vector<std::string>& options, ProcessOptions process);

    /// The event of a process that serves.
    std::string readyWord() const { return stable_pid_ ? "worker.ready" : "ready"; }

    TempDir directory_;
    std::unique_ptr<LoggedProcess> process_;
    int port_ = 0;
    bool stable_pid_ = false;
    mutable int last_code_ = -1;
};

/// A load that goes on over restarts: `clients` that post to /echo.
LoadPlan postingClients(int port, int clients, Clock::duration thinkTime = {});

/// Nothing that was sent got lost, whatever happened meanwhile.
void checkNothingLost(const LoadResult& result);

/// Nobody listens on the port, or soon nobody will.
bool isRefused(int port);

/// How many times longer things may take in this build.
constexpr int slower =
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    10;
#else
    1;
#endif

} // namespace lifecycle::test
