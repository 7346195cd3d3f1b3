#pragma once

#include "deadline.h"
#include "http_response.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <iosfwd>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace lifecycle::test {

/// What each client of a load does.
struct LoadPlan {
    int port = 0;
    int clients = 1;
    /// true: reuse a connection until the server says close. false: one connection per request.
    bool keepAlive = true;
    std::string method = "GET";
    std::string target = "/hello";
    std::string body{};
    /// Pause between two requests of one client.
    Clock::duration thinkTime{};
    /// A client ends after so many requests (unset: no such bound) ...
    std::optional<std::size_t> requestsPerClient{};
    /// ... at the latest after this time. No load runs for ever, but none may end before the test that
    /// stops it, however slow the machine is: the time limit of a test in CTest is shorter than this ...
    Clock::duration duration = std::chrono::minutes(6);
    /// ... and at its first refused connect, unless it shall go on trying (a restart).
    bool untilRefused = true;
    /// How long a client waits for one answer.
    Clock::duration answerTimeout = std::chrono::seconds(15);
    /// Keep the times of every request, not only the counts.
    bool keepRecords = false;
};

/// One request of one client, or a connect that was refused.
struct LoadRecord {
    int client = 0;
    Clock::time_point beganAt{};
    Clock::time_point endedAt{};
    Outcome outcome = Outcome::complete;
    int status = 0;
    bool reused = false; ///< on a connection that had served a request before
};

/// What happened to the requests. Every request sent has one end:
/// sent == answered (of all statuses) + lost + timedOut.
struct LoadResult {
    std::size_t sent = 0;
    /// Complete answers, by status.
    std::map<int, std::size_t> answered;
    /// The connection ended (close or reset) before the answer was complete, even if the request
    /// could not be written whole: to its sender that is as lost.
    std::size_t lost = 0;
    /// Of the lost ones, those on a connection that had served a request before.
    std::size_t lostOnReused = 0;
    std::size_t timedOut = 0;
    /// Connects that were refused (ECONNREFUSED); no request was sent.
    std::size_t refused = 0;
    /// Connects that failed in another way.
    std::size_t failedConnects = 0;
    /// Of every answered request, from its first byte sent to its last byte received.
    std::vector<Clock::duration> latencies;
    std::optional<Clock::time_point> lastAnswerAt;
    /// Client by client, in the order of time; empty unless the plan asks for them.
    std::vector<LoadRecord> records;

    std::size_t answeredWith(int status) const;
    std::size_t answeredTotal() const;
    void add(const LoadResult& other);
};

std::ostream& operator<<(std::ostream& stream, const LoadResult& result);

/// Clients that send requests to a server on 127.0.0.1, each in a thread of its own, as fast as
/// the answers come. Bounded in count and time, so that a test ends whatever the server does.
///
/// A client is a correct one: before it reuses a connection it looks whether the server has
/// closed it. What is still lost then is lost by the server's doing.
///
///     LoadClients load({.port = port, .clients = 32});
///     REQUIRE(eventually([&] { return load.answered() > 100; }, 5s));
///     server.signal(SIGTERM);
///     CHECK(load.wait().lost == 0);
class LoadClients {
public:
    /// Starts the clients.
    explicit LoadClients(LoadPlan plan);
    LoadClients(const LoadClients&) = delete;
    LoadClients& operator=(const LoadClients&) = delete;
    /// Stops, and waits for the clients.
    ~LoadClients();

    /// Answers so far.
    std::size_t answered() const { return answered_; }

    /// Asks the clients to end after the request they are at. Does not block.
    void stop();

    /// Blocks until every client has ended by its own bounds or by `stop()`; call it once.
    LoadResult wait();

private:
    void runClient(int number, LoadResult& result);
    bool stopped() const;
    void pause(Clock::duration duration) const;

    const LoadPlan plan_;
    const Deadline deadline_;
    std::atomic<std::size_t> answered_{0};
    mutable std::mutex mutex_;
    mutable std::condition_variable stop_requested_;
    bool stopped_ = false;
    std::vector<LoadResult> results_; ///< one per client, each written by its thread alone
    std::vector<std::thread> threads_;
};

} // namespace lifecycle::test
