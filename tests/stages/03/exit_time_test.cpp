#include "catch.h"
#include "deadline.h"
#include "descriptors.h"
#include "hello_server.h"
#include "moments.h"
#include "stage.h"
#include "time_limit.h"

#include <algorithm>
#include <chrono>

using namespace std::chrono_literals;
using namespace lifecycle::test;

// Medians: the promise is the server's, and a hiccup of the machine is not its doing.

namespace {

std::string in(Clock::duration duration) {
    return std::to_string(milliseconds(duration)) + " ms";
}

/// From the signal to the end of a server with that many idle connections.
Clock::duration exitWithIdle(int connections, const std::string& grace) {
    raiseDescriptorLimit();
    const HelloServer server({"--keepalive-grace", grace}, {.limits = {{RLIMIT_NOFILE, 4096}}});
    std::vector<Connection> idle;
    for (int i = 0; i < connections; ++i) {
        idle.push_back(server.idle());
    }
    const auto askedAt = server.stop();
    const ExitStatus status = server.waitForExit(10s);
    CHECK(status.code == 0);
    return status.at - askedAt;
}

/// The same of stage 01, which does nothing but wait for the signal: the share of this machine.
Clock::duration bareExit() {
    const Process process(stage("01_signals"));
    process.waitForEvent("ready");
    const auto askedAt = Clock::now();
    process.signal(SIGTERM);
    return process.waitForExit(10s).at - askedAt;
}

} // namespace

TEST_CASE("03: an idle server ends within 3 ms of the signal, or three times as long as a process without a server") {
    std::vector<Clock::duration> times;
    std::vector<Clock::duration> bare;
    for (int run = 0; run < 20; ++run) {
        times.push_back(exitWithIdle(0, "100ms"));
        bare.push_back(bareExit());
    }
    INFO("medians of 20: " << in(median(times)) << ", without a server " << in(median(bare)));
    CHECK(median(times) <= std::max<Clock::duration>(limit(3ms), 3 * median(bare)));
}

TEST_CASE("03: the process ends within 5 ms of the last answer") {
    std::vector<Clock::duration> times;
    for (int run = 0; run < 20; ++run) {
        const HelloServer server;
        Connection client = server.working("/hello?work=60ms");
        server.stop();
        const Response answer = client.readResponse(10s);
        CHECK(answer.status == 200);
        times.push_back(server.waitForExit(10s).at - answer.finishedAt);
    }
    INFO("median of 20: " << in(median(times)));
    CHECK(median(times) <= limit(5ms));
}

TEST_CASE("03: what is left is cut within 10 ms of the deadline") {
    std::vector<Clock::duration> times;
    for (int run = 0; run < 9; ++run) {
        const HelloServer server({"--timeout", "100ms"});
        Connection client = server.working("/hello?work=10m");
        const auto askedAt = server.stop();
        CHECK(client.readBytes(1, 10s).finishedAt - askedAt >= 100ms);
        times.push_back(server.waitForExit(10s).at - askedAt);
    }
    INFO("median of 9: " << in(median(times)));
    CHECK(median(times) <= 100ms + limit(10ms));
}

TEST_CASE("03: a connection that never sent a byte delays the end by the grace and 10 ms at most") {
    std::vector<Clock::duration> times;
    for (int run = 0; run < 9; ++run) {
        const HelloServer server({"--keepalive-grace", "50ms"});
        const Connection silent = server.connect();
        get(server.port(), "/healthz"); // accepted in their order: the silent one is known now
        const auto askedAt = server.stop();
        times.push_back(server.waitForExit(10s).at - askedAt);
    }
    INFO("median of 9: " << in(median(times)));
    CHECK(median(times) >= 50ms);
    CHECK(median(times) <= 50ms + limit(10ms));
}

TEST_CASE("03: half a header delays the end to the deadline and 10 ms at most") {
    std::vector<Clock::duration> times;
    for (int run = 0; run < 9; ++run) {
        const HelloServer server({"--timeout", "100ms"});
        Connection half = server.connect();
        half.send("GET /hello HTTP/1.1\r\nHost:");
        get(server.port(), "/healthz");
        const auto askedAt = server.stop();
        const ExitStatus status = server.waitForExit(10s);
        CHECK(status.code == 0); // it was no request
        times.push_back(status.at - askedAt);
    }
    INFO("median of 9: " << in(median(times)));
    CHECK(median(times) >= 100ms);
    CHECK(median(times) <= 100ms + limit(10ms));
}

TEST_CASE("03: 20 ms after the signal the server says that it is not ready and closes connections") {
    std::vector<Clock::duration> times;
    for (int run = 0; run < 9; ++run) {
        const HelloServer server({"--lame-duck", "10s"});
        Connection client = server.idle();
        const auto askedAt = server.stop();
        Response answer;
        do {
            client = server.connect();
            client.send(httpRequest("GET", "/readyz"));
            answer = client.readResponse(10s);
        } while (answer.status == 200 && Clock::now() - askedAt < 5s);
        times.push_back(answer.finishedAt - askedAt);
        CHECK(answer.status == 503);
        CHECK(answer.header("Connection") == "close");
    }
    INFO("median of 9: " << in(median(times)));
    CHECK(median(times) <= limit(20ms));
}

namespace {

/// A promise beyond the grace, in a build without sanitizers on an idle machine. Where even a process without a server
/// takes longer to exit, so may this.
void checkExitWithIdle(int connections, int runs, Clock::duration promised) {
    std::vector<Clock::duration> times;
    std::vector<Clock::duration> bare;
    for (int run = 0; run < runs; ++run) {
        times.push_back(exitWithIdle(connections, "100ms"));
        bare.push_back(bareExit());
    }
    INFO("medians of " << runs << ": " << in(median(times)) << ", without a server " << in(median(bare)));
    CHECK(median(times) >= 100ms);
    CHECK(median(times) <= 100ms + std::max<Clock::duration>(limit(promised), median(bare) * (promised / 2ms)));
}

} // namespace

TEST_CASE("03: 200 idle connections delay the end by the grace and 20 ms, or ten times as long as a bare exit takes") {
    checkExitWithIdle(200, 5, 20ms);
}

TEST_CASE("03: 1000 idle connections delay the end by the grace and 60 ms, or thirty times as long as a bare exit takes") {
    checkExitWithIdle(1000, 3, 60ms);
}
