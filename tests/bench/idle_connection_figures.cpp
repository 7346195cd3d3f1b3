// What clients cost that are connected and do nothing: time at the end, and memory before.

#include <stdexcept>
#include <string>
#include <vector>

#include "figures.h"
#include "idle_connections.h"
#include "rivals.h"
#include "running_server.h"

namespace lifecycle::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto grace = 100ms;

/// Plain Poco needs a thread for each connection, idle or not.
Contestant stopAllWithThreads(int threads) {
    Contestant contestant = stage("stopall", {"--threads", std::to_string(threads)});
    contestant.name += " --threads " + std::to_string(threads);
    return contestant;
}

/// An answer from all is part of the figure: it is none if the connections are not really there.
void requireAnswers(const IdleConnections& clients, int count, const Contestant& contestant) {
    if (clients.answered() != count) {
        throw std::runtime_error(contestant.name + " answered " +
                                 std::to_string(clients.answered()) + " of " +
                                 std::to_string(count));
    }
}

double exitOnce(const Contestant& contestant, int count) {
    const RunningServer server(contestant);
    const IdleConnections clients(server.port(), count);
    requireAnswers(clients, count, contestant);
    const auto begin = server.terminate();
    return milliseconds(server.waitForExit(30s) - begin);
}

Figure exitWithIdle(std::string name, int count, Target target, const Effort& effort) {
    Figure figure{std::move(name), "time from SIGTERM to the end, with " + std::to_string(count) +
                                       " idle keep-alive connections"};
    const Contestant graceful = stage("graceful", {"--keepalive-grace", "100ms"});
    const Contestant stopAll = stopAllWithThreads(count + 8);
    const Rivals others = rivals(effort);
    Sample beyondGrace, plain;
    std::vector<Sample> rivalTimes(others.all.size());
    for (int run = 0; run < effort.runs(11, 3); ++run) {
        beyondGrace.add(exitOnce(graceful, count) - milliseconds(grace));
        plain.add(exitOnce(stopAll, count));
        for (std::size_t i = 0; i < others.all.size(); ++i) {
            rivalTimes[i].add(exitOnce(others.all[i], count));
        }
    }
    figure.lines = {medianLine("graceful, minus its grace of 100 ms", "ms", beyondGrace, target),
                    medianLine(stopAll.name + " (no grace)", "ms", plain)};
    for (std::size_t i = 0; i < others.all.size(); ++i) {
        figure.lines.push_back(medianLine(others.all[i].name + " (no grace)", "ms", rivalTimes[i]));
    }
    figure.notes = others.notes;
    return figure;
}

struct Memory {
    Contestant contestant;
    Sample megabytes{};
    int answered = 0;

    void measure(int count) {
        const RunningServer server(contestant);
        const IdleConnections clients(server.port(), count);
        answered = clients.answered();
        megabytes.add(server.residentMemory());
    }
};

}  // namespace

Figure exitWith200Idle(const Effort& effort) {
    return exitWithIdle("exit_200_idle", 200, atMost(20), effort);
}

Figure exitWith1000Idle(const Effort& effort) {
    return exitWithIdle("exit_1000_idle", 1000, atMost(60), effort);
}

Figure memoryWith1000Idle(const Effort& effort) {
    constexpr int count = 1000;
    Figure figure{"memory_1000_idle", "resident memory with 1,000 idle keep-alive connections"};
    std::vector<Memory> all{{stage("graceful")}, {stage("stopall")}, {stopAllWithThreads(count + 8)}};
    const Rivals others = rivals(effort);
    for (const Contestant& rival : others.all) {
        all.push_back({rival});
    }
    for (int run = 0; run < effort.runs(5, 1); ++run) {
        for (Memory& memory : all) {
            memory.measure(count);
        }
    }
    for (const Memory& memory : all) {
        figure.lines.push_back(medianLine(memory.contestant.name + ", " + std::to_string(memory.answered) + " answered",
                                          "MB", memory.megabytes));
    }
    figure.notes = others.notes;
    figure.notes.push_back("plain Poco keeps a thread for each connection; those it has no thread "
                           "for (256 by default) get no answer");
    return figure;
}

}  // namespace lifecycle::bench
