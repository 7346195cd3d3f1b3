#include "catch.h"
#include "hello_server.h"
#include "proc.h"
#include "signals_check.h"
#include "stage.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// Could not start: exit code 69, and one line that says `why`.
void checkUnavailable(const std::vector<std::string>& options, const std::string& why) {
    const Process process(stage("03_http_shutdown", options));
    CHECK(process.waitForExit(10s).code == 69);
    const auto lines = process.standardError();
    REQUIRE(lines.size() == 1);
    CAPTURE(lines[0].text);
    CHECK(lines[0].text.find(why) != std::string::npos);
}

} // namespace

TEST_CASE("03: a taken port is an error whatever the strategy") {
    for (const char* first : {"graceful", "stopall"}) {
        const HelloServer server({"--strategy", first});
        const std::string port = std::to_string(server.port());
        for (const char* second : {"graceful", "stopall", "stop"}) {
            CAPTURE(first, second);
            checkUnavailable({"--port", port, "--strategy", second}, "127.0.0.1:" + port);
        }
        CHECK(get(server.port(), "/healthz").status == 200);
    }
}

TEST_CASE("03: an address of another machine is an error that names it") {
    checkUnavailable({"--port=0", "--address=192.0.2.1"}, "192.0.2.1");
}

TEST_CASE("03: an address that does not resolve is an error that names it") {
    checkUnavailable({"--port=0", "--address=no-such-host.invalid"}, "no-such-host.invalid");
}

TEST_CASE("03: a port is free again as soon as the server has ended") {
    const HelloServer first;
    CHECK(get(first.port(), "/healthz").status == 200); // leaves a connection in TIME_WAIT
    first.stop();
    CHECK(first.end().code == 0);
    const HelloServer second({"--port=" + std::to_string(first.port())});
    CHECK(get(first.port(), "/healthz").status == 200);
}

TEST_CASE("03: a signal during the first 50 ms never hangs it") {
    checkSignalWhileStarting(stage("03_http_shutdown", {"--port", "0"}));
}

TEST_CASE("03: a signal during the first 50 ms never hangs plain Poco either") {
    checkSignalWhileStarting(stage("03_http_shutdown", {"--port=0", "--strategy=stopall"}), 10ms);
}

TEST_CASE("03: the thread for its deadline is there from the start and not to be had at the end only") {
    const HelloServer server;
    CHECK(threadNames(server.pid()).count("timers") == 1);
}
