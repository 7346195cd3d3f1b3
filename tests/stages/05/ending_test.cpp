// The end of the service in the middle of something else.

#include "catch.h"
#include "proc.h"
#include "restart_server.h"

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <thread>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

const std::string stablePid = "--control=stable-pid";

/// SIGHUP, and the process that is started then. It may not be ready yet.
pid_t beginRestart(const RestartServer& server, std::size_t restart) {
    server.signal(SIGHUP);
    return static_cast<pid_t>(server.waitForEvents("restart.spawned", restart).number("new_pid"));
}

/// A process in a restart that has been told to serve, and stands still before it does.
pid_t stopBeforeItServes(const RestartServer& server, std::size_t restart) {
    server.configure("fault=slow-init=300ms\n");
    const pid_t starter = server.pid();
    const pid_t successor = beginRestart(server, restart);
    ::kill(starter, SIGSTOP);
    std::this_thread::sleep_for(1500ms); // nothing tells that it has said "ready", which nobody reads
    ::kill(successor, SIGSTOP);
    ::kill(starter, SIGUSR2); // its answer comes when it has read that
    ::kill(starter, SIGCONT);
    server->waitForEvent("hammer.ignored");
    return successor;
}

} // namespace

TEST_CASE("05: a successor that is killed before it serves does not keep the service from ending") {
    const RestartServer server;
    const pid_t successor = stopBeforeItServes(server, 1);
    server.signal(SIGTERM);
    server->waitForEvent("shutdown.end");
    ::kill(successor, SIGKILL);
    CHECK(server->waitForExit(10s).code == 0);
    CHECK(isRefused(server.port()));
}

TEST_CASE("05: with stable-pid a successor that is killed before it serves does not keep the service from ending") {
    const RestartServer server({stablePid});
    const pid_t successor = stopBeforeItServes(server, 2);
    server.signal(SIGTERM);
    server->waitForEvent("shutdown.end");
    ::kill(successor, SIGKILL);
    CHECK(server->waitForExit(10s).code == 0); // nobody was served by it
    CHECK(isRefused(server.port()));
}

TEST_CASE("05: with stable-pid TERM to the process that serves ends the service whatever is starting") {
    const RestartServer server({stablePid});
    const pid_t serving = firstChild(server.pid());
    server.configure("fault=slow-init=1s\n");
    const pid_t starting = beginRestart(server, 2);
    ::kill(serving, SIGTERM);
    CHECK(server->waitForExit(30s).code == 0);
    CHECK(server.waitForEnd(starting));
    CHECK(isRefused(server.port()));
}

TEST_CASE("05: with stable-pid TERM twice to the process that serves is no reason to roll back") {
    const RestartServer server({stablePid, "--rollback-window=20s"});
    const auto serving = static_cast<pid_t>(server.restart(2).number("pid"));
    Connection endless = server.connect();
    endless.send(httpRequest("GET", "/hello?work=10m"));
    server->waitForEvent("request.begin");
    ::kill(serving, SIGTERM);
    server->waitForEvent("readiness.off");
    std::this_thread::sleep_for(60ms); // sooner it would be a key bounce
    ::kill(serving, SIGTERM);
    CHECK(server->waitForExit(30s).code == 128 + SIGTERM);
    CHECK(server->events("restart.rollback").empty());
    CHECK(isRefused(server.port()));
}

TEST_CASE("05: while it drains another instance can listen on its port") {
    RestartServer server;
    Connection client = server.connect();
    client.send(httpRequest("GET", "/hello?work=3s"));
    server->waitForEvent("request.begin");
    server.signal(SIGTERM);
    server->waitForEvent("listener.closed");
    const LoggedProcess next({STAGE_BIN_DIR "/05_hot_restart", "--port=" + std::to_string(server.port()), "--work=0s"});
    next.waitForEvent("ready");
    CHECK(client.readResponse(30s).status == 200);
    CHECK(server->waitForExit(30s).code == 0);
    next.signal(SIGTERM);
    CHECK(next.waitForExit(30s).code == 0);
}

TEST_CASE("05: a pid file that cannot be written costs no client of a new generation") {
    const RestartServer server;
    LoadClients load(postingClients(server.port(), 8, 1ms));
    const auto pidFile = server.directory() / "pid";
    std::filesystem::remove(pidFile);
    std::filesystem::create_directory(pidFile);
    std::ofstream(pidFile / "file") << "in the way\n";
    server->signal(SIGHUP);
    server->waitForEvent("pid_file.failed");
    const Event ready = server.waitForGeneration(2);
    const std::size_t answered = load.answered();
    REQUIRE(eventually([&] { return load.answered() > answered + 100; }, 30s));
    load.stop();
    checkNothingLost(load.wait());
    ::kill(static_cast<pid_t>(ready.number("pid")), SIGTERM);
    CHECK(isRefused(server.port()));
}

TEST_CASE("05: started by somebody who ignores SIGCHLD it still knows how a successor has ended") {
    const RestartServer server({"bash", "-c", "trap '' CHLD; exec \"$0\" \"$@\"", STAGE_BIN_DIR "/05_hot_restart"}, {}, {});
    server.configure("fault=exit7\n");
    server.signal(SIGHUP);
    CHECK(server->waitForEvent("restart.failed").field("reason") == "exit code 7");
    CHECK(server.greeting().find("generation=1") != std::string::npos);
}

TEST_CASE("05: with absurdly long timeouts a request in flight is finished and restarts go on") {
    for (const std::string control : {"parent-exits", "stable-pid"}) {
        RestartServer server({"--drain-timeout=2562047h", "--rollback-window=500000h", "--control=" + control});
        server.restart(2);
        Connection client = server.connect();
        client.send(httpRequest("GET", "/hello?work=200ms"));
        server->waitForEvent("request.begin");
        server.signal(SIGTERM);
        CHECK(client.readResponse(10s).status == 200);
        CHECK(server->waitForExit(30s).code == 0);
    }
}
