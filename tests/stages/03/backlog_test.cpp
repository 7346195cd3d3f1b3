#include "catch.h"
#include "hello_server.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

constexpr int clients = 50;

/// Stops the server in the sense of job control, so that clients connect and send while it cannot
/// accept; the shutdown signal is waiting when it continues. How many got which answer.
std::map<int, int> answersInLine(const HelloServer& server) {
    server.signal(SIGSTOP);
    std::vector<Connection> connections;
    for (int i = 0; i < clients; ++i) {
        connections.push_back(server.connect());
        connections.back().send(httpRequest("GET", "/hello?work=5ms"));
    }
    server.stop();
    server.signal(SIGCONT);

    std::map<int, int> answers;
    for (Connection& connection : connections) {
        const Response answer = connection.readResponse(10s);
        ++answers[answer.outcome == Outcome::complete ? answer.status : 0];
    }
    return answers;
}

} // namespace

TEST_CASE("03: who was in line to be accepted when the signal came is served and is lost with plain Poco") {
    const HelloServer server;
    CHECK(answersInLine(server) == std::map<int, int>{{200, clients}});
    CHECK(server.end().code == 0);

    bool lost = false;
    for (int attempt = 0; attempt < 20 && !lost; ++attempt) { // it may meet the clients before the signal
        const HelloServer plain({"--strategy=stopall"});
        lost = answersInLine(plain)[0] > 0;
    }
    CHECK(lost);
}

TEST_CASE("03: who was in line to be accepted is served or told 503 when the queue is full") {
    const HelloServer server({"--threads=1", "--queue=5"});
    auto answers = answersInLine(server);
    CHECK(answers[200] + answers[503] == clients);
    CHECK(answers[200] >= 5);
    CHECK(answers[503] > 0);
    CHECK(server.end().code == 0);
}

