// What a stop costs the clients that are busy at that moment.

#include <stdexcept>
#include <string>

#include "figures.h"
#include "load.h"
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
    Sample graceful, stopAll, stop;
    for (int run = 0; run < stops; ++run) {
        graceful.add(lostInOneStop(stage("graceful")));
        stopAll.add(lostInOneStop(stage("stopall")));
        stop.add(lostInOneStop(stage("stop")));
    }
    figure.lines = {sumLine("graceful", "lost", graceful, atMost(0)),
                    sumLine("stopall", "lost", stopAll), sumLine("stop", "lost", stop)};
    figure.notes.push_back("a client that loses a request connects again, until it is refused");
    figure.notes.push_back("a server that has not ended 1 s after SIGTERM is killed");
    return figure;
}

}  // namespace lifecycle::bench
