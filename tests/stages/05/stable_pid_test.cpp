#include "catch.h"
#include "proc.h"
#include "restart_server.h"

#include <signal.h>

#include <thread>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

const std::string stablePid = "--control=stable-pid";

/// The supervising process has told the generation before to stop accepting, and it has.
Event restartBelow(RestartServer& server, int generation) {
    const Event ready = server.restart(generation);
    CHECK(server.pid() == server->pid());
    return ready;
}

} // namespace

TEST_CASE("05: with stable-pid one process stays over 5 restarts under load and nothing is lost") {
    RestartServer server({stablePid, "--rollback-window=0s"});
    const auto before = listeningSockets(server.pid());
    CHECK(before.size() == 1);
    LoadClients load(postingClients(server.port(), 20, 1ms));
    for (int generation = 2; generation <= 6; ++generation) {
        const Event ready = restartBelow(server, generation);
        CHECK(listeningSockets(static_cast<pid_t>(ready.number("pid"))) == before);
        const std::size_t answered = load.answered();
        REQUIRE(eventually([&] { return load.answered() > answered + 100; }, 30s));
        server.waitForEvents("worker.ended", static_cast<std::size_t>(generation) - 1);
    }
    CHECK(server->events("restart.report").size() == 5);
    load.stop();
    checkNothingLost(load.wait());
    server.signal(SIGTERM);
    CHECK(server->waitForExit(30s).code == 0);
    CHECK(isRefused(server.port()));
    CHECK(server.pid() == 0);
}

TEST_CASE("05: with stable-pid a request in flight keeps its process and the exit code is passed on") {
    RestartServer server({stablePid, "--rollback-window=100ms", "--drain-timeout=300ms"});
    Connection endless = server.connect();
    endless.send(httpRequest("GET", "/hello?work=10m"));
    server->waitForEvent("request.begin");
    server.signal(SIGTERM);
    CHECK(endless.readResponse(30s).outcome == Outcome::closed);
    CHECK(server->waitForExit(30s).code == 75);
}

TEST_CASE("05: with stable-pid a new generation that fails costs nothing and one that dies is rolled back") {
    RestartServer server({stablePid, "--rollback-window=20s", "--keepalive-grace=100ms"});
    LoadClients load(postingClients(server.port(), 8, 1ms));
    server.configure("fault=exit7\n");
    server.signal(SIGHUP);
    CHECK(server->waitForEvent("restart.failed").field("reason") == "exit code 7");
    CHECK(server.greeting().find("generation=1") != std::string::npos);
    load.stop();
    checkNothingLost(load.wait());

    server.configure("fault=ready-then-die=50ms\n");
    server.signal(SIGHUP);
    CHECK(server->waitForEvent("restart.rollback").field("reason") == "killed by SIGABRT");
    CHECK(eventually([&] { return server.greeting().find("generation=1") != std::string::npos; }, 10s));
    server.configure("");
    restartBelow(server, 4);
    CHECK(server.greeting().find("generation=4") != std::string::npos);
    server.signal(SIGTERM);
    CHECK(server->waitForExit(30s).code == 0);
}

TEST_CASE("05: with stable-pid a worker that dies is replaced and after five in a row its exit code ends the service") {
    const RestartServer server({stablePid});
    for (int generation = 1; generation <= 5; ++generation) {
        const auto worker = static_cast<pid_t>(server.waitForGeneration(generation).number("pid"));
        ::kill(worker, SIGKILL);
        CHECK(server.waitForEvents("worker.respawn", generation).number("in_a_row") == generation);
        CHECK(server.greeting().find("generation=" + std::to_string(generation + 1)) != std::string::npos);
    }
    ::kill(static_cast<pid_t>(server.waitForGeneration(6).number("pid")), SIGKILL);
    CHECK(server->waitForExit(30s).code == 128 + SIGKILL);
    CHECK(isRefused(server.port()));
}

TEST_CASE("05: with stable-pid a replacement that cannot start is tried again until it can") {
    const RestartServer server({stablePid});
    server.configure("fault=exit7\n");
    ::kill(static_cast<pid_t>(server.waitForGeneration(1).number("pid")), SIGKILL);
    CHECK(server.waitForEvents("restart.failed", 2).field("note") == "no generation serves");
    server.configure("");
    CHECK(server.greeting().find("generation=") != std::string::npos);
    server.signal(SIGTERM);
    CHECK(server->waitForExit(30s).code == 0);
}

TEST_CASE("05: with stable-pid workers end when the process that nobody can replace is killed") {
    const RestartServer server({stablePid, "--keepalive-grace=100ms"});
    const pid_t worker = firstChild(server.pid());
    server->signal(SIGKILL);
    server->waitForExit(10s);
    CHECK(server.waitForEnd(worker));
    CHECK(isRefused(server.port()));
}

TEST_CASE("05: with stable-pid a first generation that cannot start is the end and its exit code is passed on") {
    const TempDir directory;
    const auto config = directory.write("config", "work=often\n");
    const Process process({STAGE_BIN_DIR "/05_hot_restart", "--port=0", stablePid, "--config", config});
    CHECK(process.waitForExit(30s).code == 64);
}

TEST_CASE("05: with stable-pid signals are passed on and a second TERM forces the end") {
    const RestartServer server({stablePid});
    server.signal(SIGUSR1);
    REQUIRE(eventually([&] { return server->events("hook").size() == 4; }, 10s)); // of both processes
    const pid_t worker = firstChild(server.pid());
    ::kill(worker, SIGHUP);
    CHECK(server->waitForEvent("restart.refused").field("reason") ==
          "process " + std::to_string(server.pid()) + " starts generations here: send SIGHUP to that");

    Connection endless = server.connect();
    endless.send(httpRequest("GET", "/hello?work=10m"));
    server->waitForEvent("request.begin");
    server.signal(SIGTERM);
    server->waitForEvent("shutdown.begin");
    std::this_thread::sleep_for(60ms); // sooner it would be a key bounce
    server->signal(SIGTERM);
    CHECK(server->waitForExit(10s).code == 128 + SIGTERM);
    CHECK(server.waitForEnd(worker));
    CHECK(isRefused(server.port()));
}

TEST_CASE("05: with stable-pid TERM in the middle of a restart ends everything") {
    const RestartServer server({stablePid});
    server.configure("fault=hang\n");
    server.signal(SIGHUP);
    const auto isSecond = [](const Event& event) { return event.number("new_pid") != 0; };
    server->waitForEvent("restart.begin", 10s, [](const Event& event) { return event.number("new_generation") == 2; });
    server->waitForEvent("restart.spawned", 10s, isSecond);
    server.signal(SIGTERM);
    CHECK(server->waitForExit(30s).code == 0);
    CHECK(isRefused(server.port()));
}

TEST_CASE("05: with stable-pid TERM to the process that serves ends the service and is not rolled back") {
    RestartServer server({stablePid, "--rollback-window=1m"});
    ::kill(static_cast<pid_t>(restartBelow(server, 2).number("pid")), SIGTERM);
    CHECK(server->waitForExit(30s).code == 0);
    CHECK(server->events("restart.rollback").empty());
    CHECK(isRefused(server.port()));
}
