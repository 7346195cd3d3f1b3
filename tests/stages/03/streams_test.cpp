#include "catch.h"
#include "hello_server.h"
#include "proc.h"
#include "stage.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// Every byte a client gets for one request, to the end of the connection.
std::string allBytes(int port) {
    Connection client = Connection::to(port);
    client.send(httpRequest("GET", "/hello?work=1ms", {{"Connection", "close"}}));
    return client.readBytes(1'000'000, 10s).bytes;
}

void checkOnlyHttp(const std::string& bytes) {
    CAPTURE(bytes);
    CHECK(bytes.rfind("HTTP/1.1 200 OK\r\n", 0) == 0);
    CHECK(bytes.size() == bytes.find("\r\n\r\nhello\n") + 10);
}

} // namespace

TEST_CASE("03: closed standard streams change nothing and no client gets an event") {
    for (int closed = 1; closed < 8; ++closed) {
        CAPTURE(closed);
        ProcessOptions streams;
        streams.closeStdin = (closed & 1) != 0;
        streams.closeStdout = (closed & 2) != 0;
        streams.closeStderr = (closed & 4) != 0;
        const Process server(stage("03_http_shutdown", {"--port=0"}), streams);
        REQUIRE(eventually([&] { return listeningPort(server.pid()) != 0; }, 10s));
        const int port = listeningPort(server.pid());
        for (int i = 0; i < 5; ++i) {
            checkOnlyHttp(allBytes(port));
        }
        Connection client = Connection::to(port);
        client.send(httpRequest("GET", "/healthz"));
        CHECK(client.readResponse(10s).status == 200);
        server.signal(SIGTERM);
        CHECK(client.readBytes(1, 10s).outcome == Outcome::closed); // and not one byte before
        CHECK(server.waitForExit(10s).code == 0);
    }
}

TEST_CASE("03: a reader of the log that has gone away changes nothing") {
    // head ends after the first line; the exit code goes past it.
    const Process piped({"/bin/sh", "-c",
                         "exec 3>&1; { \"$0\" --port 0; echo $? >&3; } 2>&1 | head -n 1 >&2",
                         STAGE_BIN_DIR "/03_http_shutdown"});
    const int port = static_cast<int>(piped.waitForEvent("ready").number("port"));
    const pid_t pid = static_cast<pid_t>(piped.waitForEvent("ready").number("pid"));
    for (int i = 0; i < 5; ++i) {
        checkOnlyHttp(allBytes(port));
    }
    ::kill(pid, SIGTERM);
    piped.waitForExit(10s);
    CHECK(piped.standardOutput() == "0\n");
}
