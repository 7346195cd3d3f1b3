#pragma once

#include "http_client.h"
#include "process.h"
#include "stage.h"

#include <csignal>
#include <string>
#include <vector>

namespace lifecycle::test {

/// Stage 06 on a free port. Its constructor returns when clients are served.
class IncrementServer : public Process {
public:
    explicit IncrementServer(std::vector<std::string> options = {}, ProcessOptions process = {})
        : Process(onFreePort(std::move(options)), std::move(process)),
          port_(static_cast<int>(waitForEvent("ready", std::chrono::seconds(20)).number("port"))) {}

    int port() const { return port_; }

    /// GET /incr, so many times, each on a connection of its own. Returns how many were answered
    /// 200.
    int increment(int times = 1) const {
        int accepted = 0;
        for (int i = 0; i < times; ++i) {
            accepted += get(port_, "/incr").status == 200 ? 1 : 0;
        }
        return accepted;
    }

    /// Asks it to end, and waits for that.
    ExitStatus end(int number = SIGTERM) const {
        signal(number);
        return waitForExit(std::chrono::seconds(60));
    }

    /// Its last word on requests and jobs, once it has ended.
    Event summary() const { return waitForEvent("shutdown.end"); }

private:
    static std::vector<std::string> onFreePort(std::vector<std::string> options) {
        options.insert(options.begin(), "--port=0");
        return stage("06_docker", options);
    }

    const int port_;
};

} // namespace lifecycle::test
