// How long a server takes to end when there is nothing, or nothing more, to wait for.

#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "figures.h"
#include "http_client.h"
#include "receive_queues.h"
#include "rivals.h"
#include "running_server.h"

namespace lifecycle::bench {
namespace {

using namespace std::chrono_literals;
using test::Clock;

/// Poco looks every 250 ms whether it should stop, so the time it takes depends on the moment of
/// the signal. The runs are spread evenly over that period.
Clock::duration phase(int run, int runs) {
    return 250ms * run / runs;
}

double idleExitOnce(const Contestant& contestant, Clock::duration phase) {
    const RunningServer server(contestant);
    std::this_thread::sleep_for(phase);
    const auto begin = server.terminate();
    return milliseconds(server.waitForExit(10s) - begin);
}

double exitAfterResponseOnce(const Contestant& contestant, Clock::duration phase) {
    const RunningServer server(contestant);
    test::Connection connection = test::Connection::to(server.port());
    connection.send(test::httpRequest("GET", "/hello?work=500ms"));
    test::waitUntilRead(server.port(), 1, 10s);
    std::this_thread::sleep_for(phase);
    server.terminate();
    const test::Response response = connection.readResponse(10s);
    if (response.outcome != test::Outcome::complete) {
        throw std::runtime_error(contestant.name + " lost the request in flight");
    }
    // The client keeps its connection open: a server that ends must not wait for it.
    return milliseconds(server.waitForExit(20s) - response.finishedAt);
}

/// Ours first, which has the target; the contestants take turns.
Figure compareExits(Figure figure, const std::vector<std::string>& strategies, const Rivals& rivals, Target target,
                    double (*exitOnce)(const Contestant&, Clock::duration), int runs) {
    std::vector<Contestant> contestants;
    for (const std::string& strategy : strategies) {
        contestants.push_back(stage(strategy));
    }
    contestants.insert(contestants.end(), rivals.all.begin(), rivals.all.end());
    std::vector<Sample> times(contestants.size());
    for (int run = 0; run < runs; ++run) {
        for (std::size_t i = 0; i < contestants.size(); ++i) {
            times[i].add(exitOnce(contestants[i], phase(run, runs)));
        }
    }
    for (std::size_t i = 0; i < contestants.size(); ++i) {
        figure.lines.push_back(
            medianLine(contestants[i].name, "ms", times[i], i == 0 ? std::optional(target) : std::nullopt));
    }
    figure.notes.insert(figure.notes.end(), rivals.notes.begin(), rivals.notes.end());
    return figure;
}

}  // namespace

Figure idleExit(const Effort& effort) {
    return compareExits({"idle_exit", "time from SIGTERM to the end of the process, no client"},
                        {"graceful", "stopall", "stop"}, rivals(effort), atMost(3), idleExitOnce,
                        effort.runs(24, 5));
}

Figure exitAfterResponse(const Effort& effort) {
    const RunningServer backend(stage("graceful"), Output::discarded);
    Figure figure = compareExits(
        {"exit_after_response", "time from the last byte of the last answer, at the client, to the end"},
        {"graceful", "stopall"}, rivalsBefore(backend.port(), effort), atMost(5), exitAfterResponseOnce,
        effort.runs(20, 5));
    if (effort.peers) {
        figure.notes.emplace_back("nginx and HAProxy are proxies here, before stage 03");
    }
    return figure;
}

}  // namespace lifecycle::bench
