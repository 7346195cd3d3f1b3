// Requests per second, how long the slowest one in a hundred takes, and how much processor time the
// server spends on one, under a load of short ones. The last says more about the server: where the load
// generator has to share the processors with it, requests per second are half its doing.

#include <optional>
#include <utility>

#include "connection_tracking.h"
#include "figures.h"
#include "rivals.h"
#include "running_server.h"
#include "wrk.h"

namespace lifecycle::bench {
namespace {

using namespace std::chrono_literals;

/// More connections than anybody here manages to open and close in a second.
constexpr long mostPerSecond = 30'000;

struct Throughput {
    Contestant contestant;
    Sample rate{};
    Sample p99{};
    Sample cpu{};  // microseconds per request
    bool clean = true;

    /// A new process each time: how its memory happens to lie is part of the spread.
    void measure(Connections connections, std::chrono::seconds duration) {
        const RunningServer server(contestant, Output::discarded);
        if (connections == Connections::onePerRequest) {
            waitForRoomToConnect(mostPerSecond * duration.count());
        }
        const auto before = server.cpuTime();
        const WrkResult result = runWrk(server.port(), connections, duration);
        cpu.add(1000 * milliseconds(server.cpuTime() - before) / result.requests);
        rate.add(result.requestsPerSecond);
        p99.add(result.p99);
        clean = clean && result.clean;
    }
};

Figure compareThroughput(Figure figure, Connections connections, std::chrono::seconds duration,
                         Target againstStopAll, const Effort& effort) {
    if (!haveWrk()) {
        figure.notes.push_back("left out: needs wrk (package wrk)");
        return figure;
    }
    std::vector<Throughput> all{{stage("graceful")}, {stage("stopall")}, {plainPoco()}};
    const Rivals others = rivals(effort);
    for (const Contestant& rival : others.all) {
        all.push_back({rival});
    }
    figure.notes.insert(figure.notes.end(), others.notes.begin(), others.notes.end());
    for (int run = 0; run < effort.runs(7, 3); ++run) {
        for (Throughput& one : all) {
            one.measure(connections, effort.quick ? 1s : duration);
        }
    }

    // Plain Poco writes no events, nginx and HAProxy have an answer ready: no targets there.
    const auto targetAgainst = [&](std::size_t i, const Throughput& one) {
        return i == 1 ? std::optional(againstStopAll)
                      : one.contestant.name == goName ? std::optional(atLeast(1)) : std::nullopt;
    };
    const Throughput& graceful = all[0];
    for (const Throughput& one : all) {
        figure.lines.push_back(medianLine(one.contestant.name, "/s", one.rate));
    }
    for (std::size_t i = 1; i < all.size(); ++i) {
        const std::string versus = "graceful : " + all[i].contestant.name;
        figure.lines.push_back(
            ratioLine(versus + ", of medians", graceful.rate, all[i].rate, targetAgainst(i, all[i])));
        figure.lines.push_back(
            medianLine(versus + ", pair by pair", "", graceful.rate.dividedBy(all[i].rate)));
    }
    for (const Throughput& one : all) {
        figure.lines.push_back(medianLine(one.contestant.name + ", p99", "ms", one.p99));
    }
    figure.lines.push_back(
        ratioLine("graceful : stopall, p99", graceful.p99, all[1].p99, atMost(1)));
    for (const Throughput& one : all) {
        figure.lines.push_back(medianLine(one.contestant.name + ", a request takes", "us CPU", one.cpu));
    }
    for (std::size_t i = 1; i < all.size(); ++i) {
        figure.lines.push_back(ratioLine(all[i].contestant.name + " : graceful, CPU", all[i].cpu,
                                         graceful.cpu));
    }
    figure.notes.push_back("graceful and stopall write two events for each request, to /dev/null; "
                           "the others write nothing");
    for (const Throughput& one : all) {
        if (!one.clean) {
            figure.notes.push_back(one.contestant.name + " had errors under load");
        }
    }
    return figure;
}

}  // namespace

Figure keepAliveThroughput(const Effort& effort) {
    return compareThroughput({"throughput_keepalive", "wrk -c16 -t2, connections reused"},
                             Connections::keptAlive, 4s, atLeast(1.15), effort);
}

Figure closeThroughput(const Effort& effort) {
    return compareThroughput({"throughput_close", "wrk -c16 -t2, one connection per request"},
                             Connections::onePerRequest, 2s, atLeast(1), effort);
}

}  // namespace lifecycle::bench
