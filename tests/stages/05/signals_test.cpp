#include "another_user.h"
#include "catch.h"
#include "moments.h"
#include "proc.h"
#include "restart_server.h"
#include "stage.h"

#include <signal.h>

#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("05: USR1 and TSTP do nothing but the hooks around them run") {
    const RestartServer server;
    server.signal(SIGTSTP);
    server.signal(SIGUSR1);
    const auto after = [](const Event& event) { return event.has("after"); };
    CHECK(server->waitForEvent("hook", 10s, after).field("after") == "SIGUSR1");
    CHECK(server->events("hook").front().field("before") == "SIGUSR1");
    CHECK(server.greeting() == "hello pid=" + std::to_string(server.pid()) + " generation=1\n");
}

TEST_CASE("05: under nohup a HUP starts no restart and a worker ignores it as well") {
    const RestartServer server(afterShell("trap '' HUP", stage("05_hot_restart")), {"--control=stable-pid"}, {});
    const auto worker = static_cast<pid_t>(server->waitForEvent("worker.ready").number("pid"));
    for (const pid_t pid : {server.pid(), worker}) {
        for (const SignalSet& set : signalSets(pid, "SigIgn")) {
            CHECK(set.has(SIGHUP));
        }
    }
    ::kill(server.pid(), SIGHUP);
    ::kill(server.pid(), SIGTERM); // taken after HUP, whose number is lower
    CHECK(server->waitForExit(30s).code == 0);
    CHECK(server->events("signal").size() == 1);
}

TEST_CASE("05: QUIT shuts it down and with the option a second TERM is harmless") {
    RestartServer server({"--second-term=ignore"});
    Connection endless = server.connect();
    endless.send(httpRequest("GET", "/hello?work=10m"));
    server->waitForEvent("request.begin");
    server.signal(SIGQUIT);
    waitUntil(server->waitForEvent("signal").arrivedAt + 60ms);
    server->signal(SIGTERM);
    server->waitForEvent("signal", 10s, [](const Event& event) { return event.has("note"); });
    server->signal(SIGQUIT);
    CHECK(server->waitForExit(10s).code == 128 + SIGQUIT);
}

TEST_CASE("05: a second TERM forces the end and leaves no pid file") {
    RestartServer server;
    Connection endless = server.connect();
    endless.send(httpRequest("GET", "/hello?work=10m"));
    server->waitForEvent("request.begin");
    server.signal(SIGTERM);
    waitUntil(server->waitForEvent("signal").arrivedAt + 60ms);
    server->signal(SIGTERM);
    CHECK(server->waitForExit(10s).code == 128 + SIGTERM);
    CHECK(server.pid() == 0);
}

TEST_CASE("05: TERM in the middle of a restart ends everything and nobody holds the port") {
    for (const std::string fault : {"hang", "slow-init=10s"}) {
        CAPTURE(fault);
        RestartServer server;
        server.configure("fault=" + fault + "\n");
        server.signal(SIGHUP);
        const auto child = static_cast<pid_t>(server->waitForEvent("restart.spawned").number("new_pid"));
        server.signal(SIGTERM);
        CHECK(server->waitForExit(10s).code == 0);
        CHECK(server.waitForEnd(child));
        CHECK(isRefused(server.port()));
        CHECK(server.pid() == 0);
    }
}

TEST_CASE("05: TERM at any moment of a restart ends all generations with 0") {
    for (int moment = 0; moment < 20; ++moment) {
        CAPTURE(moment);
        RestartServer server({"--rollback-window=10s"});
        const pid_t first = server.pid();
        server.signal(SIGHUP);
        waitUntil(Clock::now() + moment * 500us);
        ::kill(first, SIGTERM);
        CHECK(server->waitForExit(20s).code == 0);
        for (const Event& spawned : server->events("restart.spawned")) {
            CHECK(server.waitForEnd(static_cast<pid_t>(spawned.number("new_pid"))));
        }
        CHECK(isRefused(server.port()));
        CHECK(server.pid() == 0);
    }
}

TEST_CASE("05: TERM to either generation after the hand-over ends the service") {
    for (const bool toOld : {true, false}) {
        CAPTURE(toOld);
        RestartServer server({"--rollback-window=10s"});
        const auto second = static_cast<pid_t>(server.restart(2).number("pid"));
        ::kill(toOld ? server->pid() : second, SIGTERM);
        CHECK(server->waitForExit(20s).code == 0);
        CHECK(server.waitForEnd(second));
        CHECK(isRefused(server.port()));
        CHECK(server->events("restart.rollback").empty());
    }
}

TEST_CASE("05: a parent killed while its child starts is replaced by it") {
    RestartServer server({"--keepalive-grace=100ms"});
    server.configure("fault=slow-init=500ms\n");
    server.signal(SIGHUP);
    server->waitForEvent("restart.spawned");
    server->signal(SIGKILL);
    CHECK(server->waitForExit(10s).signal == SIGKILL);
    Connection inLine = server.connect(); // nobody accepts at this moment; nobody refuses either
    inLine.send(httpRequest("GET", "/"));
    const Event ready = server.waitForGeneration(2);
    server->waitForEvent("restart.orphaned");
    CHECK(inLine.readResponse(30s).body == "hello pid=" + std::to_string(ready.number("pid")) + " generation=2\n");
    CHECK(eventually([&] { return server.pid() == ready.number("pid"); }, 10s));
    server.configure("");
    server.restart(3);
    CHECK(server.end() == 0);
}

TEST_CASE("05: a storm of HUPs gives one restart and at most one more") {
    RestartServer server({"--rollback-window=100ms"});
    server.configure("fault=slow-init=300ms\n");
    const pid_t first = server.pid();
    for (int i = 0; i < 200; ++i) {
        ::kill(first, SIGHUP);
    }
    server.waitForGeneration(2);
    CHECK(server->waitForExit(30s).code == 0);
    // One more was asked for while the first one was under way; it takes 300 ms, too.
    eventually([&] { return server->events("ready").size() > 2; }, 3s);
    CHECK(server->events("ready").size() <= 3);
    CHECK(server->events("restart.failed").empty());
    CHECK(server.end() == 0);
}

TEST_CASE("05: HUP during a restart is one more restart of the new generation") {
    RestartServer server({"--rollback-window=100ms"});
    server.configure("fault=slow-init=3s\n");
    server.signal(SIGHUP);
    server->waitForEvent("fault"); // the new generation has read its configuration
    server.configure("message=changed meanwhile\n");
    server->signal(SIGHUP);
    server->waitForEvent("restart.queued");
    server.waitForGeneration(3);
    CHECK(eventually([&] { return server.greeting().find("changed meanwhile") == 0; }, 10s));
    CHECK(server.end() == 0);
}

TEST_CASE("05: HUP to a child that is not ready does not kill it") {
    RestartServer server;
    server.configure("fault=slow-init=500ms\n");
    server.signal(SIGHUP);
    const auto child = static_cast<pid_t>(server->waitForEvent("restart.spawned").number("new_pid"));
    for (int i = 0; i < 100; ++i) {
        for (const int number : {SIGHUP, SIGUSR1, SIGUSR2, SIGTSTP}) {
            ::kill(child, number);
        }
        std::this_thread::sleep_for(1ms);
    }
    CHECK(server.waitForGeneration(2).number("pid") == child);
    CHECK(server->events("restart.failed").empty());
}

TEST_CASE("05: three generations may live and a fourth is refused until the oldest is gone") {
    RestartServer server({"--rollback-window=100ms"});
    std::vector<Connection> endless;
    for (int generation = 1; generation <= 3; ++generation) {
        if (generation > 1) {
            server.restart(generation);
        }
        endless.push_back(server.connect());
        endless.back().send(httpRequest("GET", "/hello?work=10m"));
        server.waitForEvents("request.begin", static_cast<std::size_t>(generation));
    }
    server.signal(SIGHUP);
    CHECK(server.waitForEvents("restart.refused", 1).field("reason").find("3 generations are alive") == 0);
    CHECK(server.greeting().find("generation=3") != std::string::npos);

    server->signal(SIGUSR2); // the first one
    CHECK(server->waitForExit(10s).code == 75);
    server.restart(4);
    CHECK(server.greeting().find("generation=4") != std::string::npos);
}

TEST_CASE("05: HUP to a generation that has handed over names the process to send it to") {
    RestartServer server({"--rollback-window=10s"});
    const auto second = server.restart(2).number("pid");
    server->signal(SIGHUP);
    const std::string reason = server.waitForEvents("restart.refused", 1).field("reason");
    CHECK(reason == "this generation has handed over: the active one is process " + std::to_string(second));
}

TEST_CASE("05: neither a restart nor the shutdown needs a thread that the old generation does not have") {
    RestartServer server(wrapped(asLimitedUser(), stage("05_hot_restart")), {"--rollback-window=0s", "--keepalive-grace=100ms"}, {});
    const auto working = [&](std::size_t requests) {
        Connection client = server.connect();
        client.send(httpRequest("GET", "/hello?work=500ms"));
        server.waitForEvents("request.begin", requests);
        return client;
    };

    server.configure("fault=slow-init=300ms\n");
    const pid_t old = server.pid();
    ::kill(old, SIGHUP);
    server->waitForEvent("restart.spawned");
    forbidThreads(old);
    Connection early = working(1);
    server.waitForGeneration(2);
    CHECK(early.readResponse(30s).status == 200);
    CHECK(server.waitForEnd(old));

    forbidThreads(server.pid());
    Connection late = working(2);
    CHECK(server.end() == 0);
    CHECK(late.readResponse(30s).status == 200);
}
