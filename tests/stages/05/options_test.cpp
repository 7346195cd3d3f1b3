#include "catch.h"
#include "options_check.h"
#include "restart_server.h"
#include "stage.h"

#include <sys/stat.h>

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("05: the options are those of all stages and say what is wrong") {
    checkCommonOptions("05_hot_restart",
                       {"--address TEXT", "--port PORT", "--listen ADDRESS", "--work DURATION", "--message TEXT",
                        "--config TEXT", "--pid-file TEXT", "--start-timeout DURATION", "--drain-timeout DURATION",
                        "--keepalive-grace DURATION", "--keep-alive-timeout DURATION", "--rollback-window DURATION",
                        "--control parent-exits|stable-pid", "--log TEXT", "--restart-of TEXT", "--second-term force|ignore"});
    for (const std::string option :
         {"--work", "--start-timeout", "--drain-timeout", "--keepalive-grace", "--keep-alive-timeout",
          "--rollback-window"}) {
        checkDurationOption("05_hot_restart", option);
    }
    checkRefused(stage("05_hot_restart", {"--control=fork"}), {"control", "parent-exits", "stable-pid"});
    checkRefused(stage("05_hot_restart", {"--listen=nowhere"}), {"nowhere", "HOST:PORT"});
    checkRefused(stage("05_hot_restart", {"--drain-timeout=1s", "--rollback-window=2s"}),
                 {"--drain-timeout", "--rollback-window"});
}

TEST_CASE("05: a drain timeout shorter than the default rollback window shortens that as well") {
    const RestartServer server({"--drain-timeout=300ms"});
    Connection client = server.connect();
    client.send(httpRequest("GET", "/hello?work=10m"));
    server.waitForEvents("request.begin", 1);
    server.restart(2);
    CHECK(client.readResponse(30s).outcome != Outcome::complete);
    CHECK(server.waitForEvents("exit", 1).number("code") == 75);
}

TEST_CASE("05: a configuration file that makes no sense is refused with its name") {
    const TempDir directory;
    const auto refused = [&](const std::string& content, const std::vector<std::string>& parts) {
        const std::string file = directory.write("config", content);
        std::vector<std::string> all = parts;
        all.push_back(file);
        checkRefused(stage("05_hot_restart", {"--port=0", "--config", file}), all);
    };
    refused("massage=typo\n", {"massage", "message, work, fault"});
    refused("work=soon\n", {"soon"});
    refused("fault=none\n", {"none", "ready-then-die=DURATION"});
    refused("fault=slow-init\n", {"slow-init=DURATION"});
    checkRefused(stage("05_hot_restart", {"--port=0", "--config=/nowhere"}), {"/nowhere"});
}

TEST_CASE("05: a configuration file that is a directory, a FIFO or endless is refused at once") {
    const TempDir directory;
    const std::string fifo = directory.path() / "fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    const std::string large = directory.write("large", std::string(1024 * 1024 + 1, '\n'));
    const auto refused = [](const std::string& file, const std::string& reason) {
        checkRefused(stage("05_hot_restart", {"--port=0", "--config", file}), {file, reason});
    };
    refused(directory.path(), "Is a directory");
    refused(fifo, "is not a regular file");
    refused("/dev/zero", "is not a regular file");
    refused(large, "larger than 1 MiB");
}

TEST_CASE("05: a taken port and a pid file that cannot be written are reasons with code 69") {
    const RestartServer server;
    for (const std::vector<std::string>& options :
         {std::vector<std::string>{"--port", std::to_string(server.port())},
          std::vector<std::string>{"--port=0", "--pid-file=/nowhere/pid"}}) {
        const Process second(stage("05_hot_restart", options));
        CHECK(second.waitForExit(30s).code == 69);
        CHECK(second.standardError().back().text.find("05_hot_restart: cannot ") == 0);
    }
}

TEST_CASE("05: the paths answer as in all stages and unknown methods are refused") {
    const RestartServer server;
    CHECK(get(server.port(), "/hello?work=0s").body == "hello\n");
    CHECK(get(server.port(), "/healthz").status == 200);
    CHECK(get(server.port(), "/readyz").body == "ready\n");
    CHECK(get(server.port(), "/nothing").status == 404);
    CHECK(get(server.port(), "/stream?chunks=3&every=1ms").body == "chunk 1\nchunk 2\nchunk 3\n");
    CHECK(get(server.port(), "/stream?chunks=-1").status == 400);
    CHECK(get(server.port(), "/stream?every=x").status == 400);
    CHECK(get(server.port(), "/echo").header("Allow") == "POST");
    Connection connection = server.connect();
    connection.send(httpRequest("POST", "/", {}, "x"));
    const Response answer = connection.readResponse(10s);
    CHECK(answer.status == 405);
    CHECK(answer.header("Allow") == "GET, HEAD");
}
