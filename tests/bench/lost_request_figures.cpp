// What a stop costs the clients that are busy at that moment.

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "figures.h"
#include "load.h"
#include "rivals.h"
#include "running_server.h"

namespace lifecycle::bench {
namespace {

using namespace std::chrono_literals;

constexpr int clients = 16;

/// How long a server gets to end by itself: then it is killed, as every supervisor does.
constexpr auto patience = 1s;

double lostInOneStop(const Contestant& contestant) {
    const RunningServer server(contestant);
    test::LoadClients load(
        {.port = server.port(), .clients = clients, .target = "/hello?work=1ms"});
    if (!test::eventually([&load] { return load.answered() >= 10 * clients; }, 10s)) {
        throw std::runtime_error(contestant.name + " does not answer");
    }
    server.terminate();
    if (!test::eventually([&server] { return server.exited(); }, patience)) {
        server.kill();
    }
    return static_cast<double>(load.wait().lost);
}

}  // namespace

Figure lostRequests(const Effort& effort) {
    const int stops = effort.runs(20, 4);
    Figure figure{"lost_requests", "requests that got no answer, sum of " + std::to_string(stops) +
                                       " stops, with " + std::to_string(clients) +
                                       " busy keep-alive clients"};
    const Rivals others = rivals(effort);
    std::vector<Contestant> contestants{stage("graceful"), stage("stopall"), stage("stop")};
    contestants.insert(contestants.end(), others.all.begin(), others.all.end());
    std::vector<Sample> lost(contestants.size());
    for (int run = 0; run < stops; ++run) {
        for (std::size_t i = 0; i < contestants.size(); ++i) {
            lost[i].add(lostInOneStop(contestants[i]));
        }
    }
    for (std::size_t i = 0; i < contestants.size(); ++i) {
        figure.lines.push_back(
            sumLine(contestants[i].name, "lost", lost[i], i == 0 ? std::optional(atMost(0)) : std::nullopt));
    }
    figure.notes = others.notes;
    figure.notes.push_back("a client that loses a request connects again, until it is refused");
    figure.notes.push_back("a server that has not ended 1 s after SIGTERM is killed");
    return figure;
}

}  // namespace lifecycle::bench
