#pragma once

#include "http_client.h"
#include "process.h"

#include <csignal>
#include <string>
#include <vector>

namespace lifecycle::test {

/// Stage 03 on a free port. Its constructor returns when clients are served.
class HelloServer : public Process {
public:
    explicit HelloServer(const std::vector<std::string>& options = {}, ProcessOptions process = {});

    int port() const { return port_; }

    /// Connects; a failure fails the test.
    Connection connect() const;

    /// A connection that has sent `GET target`, and the server works on it.
    Connection working(const std::string& target) const;

    /// A keep-alive connection that has had one answer, and is idle.
    Connection idle() const;

    /// Sends the signal; returns the moment before that.
    Clock::time_point stop(int number = SIGTERM) const;

    /// Waits for the end of the process and checks what it told about it: see story.h.
    ExitStatus end(Deadline deadline = std::chrono::seconds(20)) const;

    /// The last word on its requests, once it has ended.
    Event summary() const { return waitForEvent("shutdown.end"); }

private:
    const int port_;
};

} // namespace lifecycle::test
