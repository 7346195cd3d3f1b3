#include "catch.h"
#include "hello_server.h"
#include "moments.h"
#include "port_reservation.h"
#include "proc.h"
#include "signals_check.h"
#include "stage.h"
#include "stalled_pipe.h"
#include "time_limit.h"

#include <csignal>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// A server together with the client whose request it works on.
struct WorkingServer : HelloServer {
    WorkingServer(const std::vector<std::string>& options, const std::string& target)
        : HelloServer(options), client(working(target)) {}

    Connection client;
};

StartProcess working(const std::vector<std::string>& options, const std::string& target) {
    return [=] { return std::make_shared<WorkingServer>(options, target); };
}

} // namespace

TEST_CASE("03: a second signal forces the end while a handler hangs") {
    checkSecondSignalForces(working({"--timeout=1h"}, "/hello?work=10m"));
}

TEST_CASE("03: a second signal forces plain Poco too") {
    checkSecondSignalForces(working({"--strategy=stopall"}, "/hello?work=10m"));
    checkSecondSignalForces(working({"--strategy=stop"}, "/hello?work=10m"));
}

TEST_CASE("03: a second signal forces the end within the lame duck") {
    checkSecondSignalForces(working({"--lame-duck=1h"}, "/hello?work=0s"));
}

TEST_CASE("03: HUP and INT and QUIT and TERM finish the request in flight and kill it where they have their default action") {
    for (const auto& [number, name] : {std::pair{SIGHUP, "SIGHUP"}, std::pair{SIGINT, "SIGINT"},
                                       std::pair{SIGQUIT, "SIGQUIT"}, std::pair{SIGTERM, "SIGTERM"}}) {
        CAPTURE(name);
        const HelloServer server;
        Connection client = server.working("/hello?work=100ms");
        server.stop(number);
        CHECK(client.readResponse(10s).status == 200);
        CHECK(server.end().code == 0);
        CHECK(server.waitForEvent("shutdown.begin").field("cause") == name);

        const PortReservation port;
        const Process careless({CARELESS_SERVER, "dies", std::to_string(port.port())});
        REQUIRE(eventually([&] { return listeningPort(careless.pid()) != 0; }, 10s));
        CHECK(get(port.port(), "/ready").status == 200);
        Connection lost = Connection::to(port.port());
        lost.send(httpRequest("GET", "/?work=10000"));
        careless.signal(number);
        CHECK(careless.waitForExit(10s).signal == number);
        CHECK(lost.readResponse(10s).status == 0);
    }
}

TEST_CASE("03: under nohup a HUP does nothing") {
    const Process server(afterShell("trap '' HUP", stage("03_http_shutdown", {"--port=0"})));
    const auto port = static_cast<int>(server.waitForEvent("ready").number("port"));
    server.signal(SIGHUP);
    CHECK(get(port, "/healthz").status == 200);
    server.signal(SIGTERM);
    CHECK(server.waitForExit(5s).code == 0);
    CHECK(server.waitForEvent("shutdown.begin").field("cause") == "SIGTERM");
}

TEST_CASE("03: with the option a second TERM is harmless and INT still forces the exit") {
    checkSecondTermIsIgnored(working({"--timeout=1h", "--second-term=ignore"}, "/hello?work=10m"));
}

TEST_CASE("03: stray USR1 and USR2 and WINCH do nothing") {
    const HelloServer server;
    for (const int number : {SIGUSR1, SIGUSR2, SIGWINCH}) {
        server.signal(number);
    }
    CHECK(get(server.port(), "/healthz").status == 200);
    server.stop();
    CHECK(server.end().code == 0);
}

TEST_CASE("03: the same signal within 50 ms is a key bounce and not a second request") {
    checkBounceIsOneRequest(working({}, "/hello?work=150ms"));
}

TEST_CASE("03: every thread blocks the signals and nothing is done in a handler") {
    const HelloServer server;
    const Connection client = server.working("/hello?work=10m"); // so that workers are there too
    const auto blocked = signalSets(server.pid(), "SigBlk");
    const auto caught = signalSets(server.pid(), "SigCgt");
    CHECK(blocked.size() >= 4); // main and signals and the loop and a worker
    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) {
        for (const SignalSet& set : blocked) {
            CHECK(set.has(number));
        }
        for (const SignalSet& set : caught) {
            CHECK_FALSE(set.has(number));
        }
    }
}

TEST_CASE("03: an inherited ignore of SIGINT does not make it deaf") {
    const Process server(afterShell("trap '' INT", stage("03_http_shutdown", {"--port=0"})));
    server.waitForEvent("ready");
    server.signal(SIGINT);
    CHECK(server.waitForExit(5s).code == 0);
}

TEST_CASE("03: SIGPIPE does not kill") {
    const HelloServer server;
    server.signal(SIGPIPE);
    CHECK(get(server.port(), "/healthz").status == 200);
    server.stop();
    CHECK(server.end().code == 0);
}

TEST_CASE("03: a log that nobody reads holds neither clients nor the drain nor the force") {
    const StalledPipe log;
    const Process server(
        afterShell("exec 2>" + log.name(), stage("03_http_shutdown", {"--port=0"})));
    REQUIRE(eventually([&] { return listeningPort(server.pid()) != 0; }, 10s));
    const int port = listeningPort(server.pid());
    for (int i = 0; i < 50; ++i) {
        CHECK(get(port, "/hello?work=1ms", 2s).status == 200);
    }

    Connection client = Connection::to(port);
    client.send(httpRequest("GET", "/hello?work=300ms"));
    server.signal(SIGTERM);
    CHECK(client.readResponse(5s).status == 200);
    CHECK(server.waitForExit(5s).code == 0);
}

TEST_CASE("03: two signals 10 ms apart are one request though the log has just filled up") {
    StalledPipe log(StalledPipe::Full::later);
    const Process server(afterShell("exec 2>" + log.name(), stage("03_http_shutdown", {"--port=0"})));
    REQUIRE(eventually([&] { return listeningPort(server.pid()) != 0; }, 10s));
    const int port = listeningPort(server.pid());
    Connection client = Connection::to(port);
    client.send(httpRequest("GET", "/hello?work=500ms"));
    CHECK(get(port, "/healthz").status == 200); // accepted in their order: the other one is known
    log.fill();

    server.signal(SIGTERM);
    waitUntil(Clock::now() + 10ms);
    server.signal(SIGTERM); // the first is not told yet
    CHECK(client.readResponse(5s).status == 200);
    CHECK(server.waitForExit(5s).code == 0);
}

TEST_CASE("03: a second signal forces the end within 100 ms when nobody reads the log") {
    const StalledPipe log;
    const Process server(
        afterShell("exec 2>" + log.name(), stage("03_http_shutdown", {"--port=0", "--work=10m"})));
    REQUIRE(eventually([&] { return listeningPort(server.pid()) != 0; }, 10s));
    Connection client = Connection::to(listeningPort(server.pid()));
    client.send(httpRequest("GET", "/hello"));

    server.signal(SIGTERM);
    REQUIRE(eventually([&] { return listeningPort(server.pid()) == 0; }, 5s)); // it has begun
    waitUntil(Clock::now() + 50ms);
    const auto forcedAt = Clock::now();
    server.signal(SIGTERM);
    const ExitStatus status = server.waitForExit(10s);
    CHECK(status.code == 128 + SIGTERM);
    CHECK(status.at - forcedAt < limit(100ms));
}
