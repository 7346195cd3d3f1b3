// How long a server takes to end when there is nothing, or nothing more, to wait for.

#include <stdexcept>
#include <thread>

#include "figures.h"
#include "http_client.h"
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
    std::this_thread::sleep_for(100ms + phase);  // by now it is in flight, and will be for a while
    server.terminate();
    const test::Response response = connection.readResponse(10s);
    if (response.outcome != test::Outcome::complete) {
        throw std::runtime_error(contestant.name + " lost the request in flight");
    }
    // The client keeps its connection open: a server that ends must not wait for it.
    return milliseconds(server.waitForExit(20s) - response.finished_at);
}

}  // namespace

Figure idleExit(const Effort& effort) {
    Figure figure{"idle_exit", "time from SIGTERM to the end of the process, no client"};
    const int runs = effort.runs(24, 5);
    const auto go = goNetHttp();
    Sample graceful, stopAll, stop, peer;
    for (int run = 0; run < runs; ++run) {
        graceful.add(idleExitOnce(stage("graceful"), phase(run, runs)));
        stopAll.add(idleExitOnce(stage("stopall"), phase(run, runs)));
        stop.add(idleExitOnce(stage("stop"), phase(run, runs)));
        if (go) {
            peer.add(idleExitOnce(*go, phase(run, runs)));
        }
    }
    figure.lines = {medianLine("graceful", "ms", graceful, atMost(3)),
                    medianLine("stopall", "ms", stopAll), medianLine("stop", "ms", stop)};
    if (go) {
        figure.lines.push_back(medianLine(go->name, "ms", peer));
    } else {
        figure.notes.push_back(goIsMissing);
    }
    return figure;
}

Figure exitAfterResponse(const Effort& effort) {
    Figure figure{"exit_after_response",
                  "time from the last byte of the last answer, at the client, to the end"};
    const int runs = effort.runs(20, 5);
    const auto go = goNetHttp();
    Sample graceful, stopAll, peer;
    for (int run = 0; run < runs; ++run) {
        graceful.add(exitAfterResponseOnce(stage("graceful"), phase(run, runs)));
        stopAll.add(exitAfterResponseOnce(stage("stopall"), phase(run, runs)));
        if (go) {
            peer.add(exitAfterResponseOnce(*go, phase(run, runs)));
        }
    }
    figure.lines = {medianLine("graceful", "ms", graceful, atMost(5)),
                    medianLine("stopall", "ms", stopAll)};
    if (go) {
        figure.lines.push_back(medianLine(go->name, "ms", peer));
    } else {
        figure.notes.push_back(goIsMissing);
    }
    return figure;
}

}  // namespace lifecycle::bench
