#include "growth.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

#include "connection_tracking.h"
#include "http_client.h"
#include "idle_connections.h"
#include "receive_queues.h"
#include "rivals.h"
#include "running_server.h"

namespace lifecycle::bench {
namespace {

using namespace std::chrono_literals;
using test::Clock;

/// Plain Poco keeps a thread for each connection: more of them than this are no fair question.
constexpr int mostThreads = 1000;

struct Idle {
    double exit;
    double memory;
};

Idle withIdle(const Contestant& contestant, int count) {
    waitForRoomToConnect(count + 1000);
    const RunningServer server(contestant, Output::discarded);
    const IdleConnections clients(server.port(), count);
    if (clients.answered() != count) {
        throw std::runtime_error(contestant.name + " answered " + std::to_string(clients.answered()) + " of " +
                                 std::to_string(count));
    }
    const double memory = server.residentMemory();
    const auto begin = server.terminate();
    return {milliseconds(server.waitForExit(60s) - begin), memory};
}

/// From the last answer to the end, with so many requests in flight at the signal.
double withInFlight(const Contestant& contestant, int count) {
    const RunningServer server(contestant, Output::discarded);
    std::vector<test::Connection> clients;
    for (int i = 0; i < count; ++i) {
        clients.push_back(test::Connection::to(server.port()));
        clients.back().send(test::httpRequest("GET", "/hello?work=700ms"));
    }
    test::waitUntilRead(server.port(), static_cast<std::size_t>(count), 10s);
    server.terminate();
    Clock::time_point last{};
    for (test::Connection& client : clients) {
        const test::Response response = client.readResponse(20s);
        if (response.outcome != test::Outcome::complete) {
            throw std::runtime_error(contestant.name + " lost a request in flight");
        }
        last = std::max(last, response.finishedAt);
    }
    return milliseconds(server.waitForExit(30s) - last);
}

Contestant plain(int threads) {
    Contestant contestant = stage("stopall", {"--threads", std::to_string(threads + 8)});
    contestant.name = "plain Poco";
    return contestant;
}

/// Who takes part with so many clients; plain Poco is given a thread for each.
std::vector<Contestant> contestants(int clients, const Rivals& rivals) {
    std::vector<Contestant> all{stage("graceful", {"--threads", "512"})};
    all.front().name = "graceful";
    if (clients <= mostThreads) {
        all.push_back(plain(clients));
    }
    all.insert(all.end(), rivals.all.begin(), rivals.all.end());
    return all;
}

std::string leftOut(const Contestant& contestant, int clients, const std::exception& error) {
    return contestant.name + " with " + std::to_string(clients) + " clients is left out: " + error.what();
}

void add(Chart& chart, const std::string& name, int clients, const Sample& sample) {
    auto curve =
        std::find_if(chart.curves.begin(), chart.curves.end(), [&](const auto& one) { return one.name == name; });
    if (curve == chart.curves.end()) {
        curve = chart.curves.insert(chart.curves.end(), {name});
    }
    curve->points.push_back({clients, sample});
}

}  // namespace

std::vector<Chart> measureGrowth(const Effort& effort) {
    const RunningServer backend(stage("graceful", {"--threads", "512"}), Output::discarded);
    const Rivals others = rivals(effort);
    const Rivals proxies = rivalsBefore(backend.port(), effort);

    Chart exit{"growth_exit_idle", "Time from the signal to the end, against idle keep-alive connections", "ms"};
    Chart memory{"growth_memory_idle", "Resident memory, against idle keep-alive connections", "MB"};
    Chart inFlight{"growth_exit_in_flight", "Time from the last answer to the end, against requests in flight", "ms"};
    const int runs = effort.runs(3, 1);
    for (const int count : {1, 10, 100, 1000, 5000}) {
        for (const Contestant& contestant : contestants(count, others)) {
            Sample exits, megabytes;
            try {
                for (int run = 0; run < runs; ++run) {
                    const Idle idle = withIdle(contestant, count);
                    exits.add(idle.exit);
                    megabytes.add(idle.memory);
                }
                add(exit, contestant.name, count, exits);
                add(memory, contestant.name, count, megabytes);
            } catch (const std::exception& error) {
                exit.notes.push_back(leftOut(contestant, count, error));
            }
        }
    }
    for (const int count : {1, 10, 100, 400}) {
        for (const Contestant& contestant : contestants(count, proxies)) {
            Sample exits;
            try {
                for (int run = 0; run < runs; ++run) {
                    exits.add(withInFlight(contestant, count));
                }
                add(inFlight, contestant.name, count, exits);
            } catch (const std::exception& error) {
                inFlight.notes.push_back(leftOut(contestant, count, error));
            }
        }
    }
    exit.notes.insert(exit.notes.end(), others.notes.begin(), others.notes.end());
    if (effort.peers) {
        inFlight.notes.push_back("nginx and HAProxy are proxies here, and hold requests that stage 03 works on");
    }
    exit.notes.push_back("graceful grants idle connections 100 ms to send one more request; plain Poco needs a thread "
                         "for each connection");
    return {exit, memory, inFlight};
}

}  // namespace lifecycle::bench
