#pragma once

#include "deadline.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace lifecycle::test {

/// What clients were told about their orders.
struct OrderAnswers {
    /// The item of each acknowledged order by its id.
    std::map<std::int64_t, std::string> acknowledged;
    std::size_t acknowledgedTwice = 0; ///< ids that two clients were told
    std::map<int, std::size_t> byStatus;
    std::size_t lost = 0; ///< requests without an answer
};

/// Clients that post orders on keep-alive connections as fast as the answers come, each order with an
/// item of its own, until they are refused or stopped.
class OrderClients {
public:
    /// `name` makes their items different from those of other clients.
    OrderClients(int port, int clients, std::string name);
    OrderClients(const OrderClients&) = delete;
    OrderClients& operator=(const OrderClients&) = delete;
    ~OrderClients();

    std::size_t acknowledged() const { return acknowledged_; }

    /// Asks them to end after the order they are at.
    void stop() { stopped_ = true; }

    /// Blocks until all have ended: refused, stopped, or out of time.
    OrderAnswers wait();

private:
    void run(int client);
    void take(int status, const std::string& body, const std::string& item);

    const int port_;
    const std::string name_;
    const Deadline deadline_ = std::chrono::seconds(60);
    std::atomic<bool> stopped_{false};
    std::atomic<std::size_t> acknowledged_{0};
    std::mutex mutex_;
    OrderAnswers answers_;
    std::vector<std::thread> threads_;
};

} // namespace lifecycle::test
