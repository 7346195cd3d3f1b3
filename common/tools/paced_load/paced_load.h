#pragma once

#include "http_client.h"

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

namespace lifecycle::test {

/// A number of requests at a steady rate, as `hey` and `vegeta` send them: unlike the clients of
/// load.h, which wait for one answer before they ask again, it asks on time, whatever the server
/// does.
struct PacedPlan {
    int port = 0;
    std::string target = "/incr";
    std::size_t count = 1000;
    double perSecond = 25;
    Clock::duration answerTimeout = std::chrono::seconds(30);
};

/// What became of them: sent == ok + other + lost.
struct PacedResult {
    std::size_t sent = 0;
    std::size_t ok = 0;    ///< answered 200
    std::size_t other = 0; ///< answered otherwise
    std::size_t lost = 0;  ///< not connected, not answered whole, or not in time

    /// Of the whole responses, from before the connect to the last byte, the shortest first.
    std::vector<Clock::duration> latencies{};

    /// The latency that so many percent of the responses do not exceed; zero if there is none.
    Clock::duration percentile(unsigned percent) const;
};

/// Sends them. Each request has a thread of its own and takes the connection that was given back
/// last, if there is one that the server has not closed.
class PacedLoad {
public:
    explicit PacedLoad(PacedPlan plan) : plan_(std::move(plan)) {}

    /// Blocks until the last answer is there.
    PacedResult run();

private:
    void ask();
    Connection connection();

    const PacedPlan plan_;
    std::mutex mutex_;
    std::vector<Connection> idle_; // guarded by mutex_
    PacedResult result_;           // guarded by mutex_
};

} // namespace lifecycle::test
