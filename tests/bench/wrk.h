#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace lifecycle::bench {

/// What the load generator wrk measured.
struct WrkResult {
    double requests = 0;  ///< answered
    double requestsPerSecond = 0;
    double p99 = 0;  ///< milliseconds
    bool clean = true;  ///< no socket error, no answer other than 2xx and 3xx
};

enum class Connections { keptAlive, onePerRequest };

/// Is wrk (Debian package wrk) here?
bool haveWrk();

/// Runs wrk with 16 connections and 2 threads against /hello?work=0s. Blocks for `duration`.
/// Throws std::runtime_error if wrk fails. Source: https://github.com/wg/wrk
WrkResult runWrk(int port, Connections connections, std::chrono::seconds duration);

}  // namespace lifecycle::bench
