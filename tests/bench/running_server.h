#pragma once

#include <string>
#include <vector>

#include "contestant.h"
#include "deadline.h"
#include "process.h"

namespace lifecycle::bench {

/// Where a server's stderr goes.
enum class Output {
    captured,   ///< to the bench, if it writes a `ready` event: that says when it serves, and where
    discarded,  ///< to /dev/null: the bench does not steal time from a server under load
};

/// A contestant that is up and serves. Killed at the end of the scope if it still runs.
class RunningServer {
public:
    /// Blocks until the server is ready: it has said so or, where nobody listens to it, has answered a request.
    /// Throws std::runtime_error if it does not get there.
    explicit RunningServer(const Contestant& contestant, Output output = Output::captured);

    int port() const { return port_; }
    pid_t pid() const { return process_.pid(); }

    /// What its processes have spent on processors so far. Throws std::system_error.
    test::Clock::duration cpuTime() const;

    /// Of all its processes, in MB; what they share counts for each. Source: proc_pid_status(5).
    double residentMemory() const;

    /// Sends the contestant's signal, SIGTERM for most; returns the moment before.
    test::Clock::time_point terminate() const;

    /// Ends it by force, as whoever waits for a process does in the end.
    void kill() const;

    /// Blocks until the process is gone; returns the moment of it. Throws std::runtime_error if
    /// that does not happen in time.
    test::Clock::time_point waitForExit(test::Deadline deadline) const;
    bool exited() const { return process_.exitStatus().has_value(); }

private:
    bool answers() const;
    std::vector<pid_t> processes() const;

    int port_;
    const int signal_;
    test::Process process_;
};

/// For the table.
double milliseconds(test::Clock::duration duration);

}  // namespace lifecycle::bench
