#include "catch.h"
#include "restart_server.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("05: whoever reads the pid file finds a process that serves at any moment") {
    RestartServer server({"--rollback-window=50ms"});
    std::atomic<bool> stop = false;
    std::atomic<int> bad = 0;
    std::atomic<int> reads = 0;
    std::set<pid_t> seen;
    std::thread reader([&] {
        while (!stop) {
            std::ifstream file(server.directory() / "pid");
            std::string text((std::istreambuf_iterator<char>(file)), {});
            const pid_t pid = std::atoi(text.c_str());
            // A generation that has handed over meanwhile still lives: for its rollback window at least.
            bad += text.empty() || text.back() != '\n' || pid <= 1 || ::kill(pid, 0) != 0 ? 1 : 0;
            seen.insert(pid);
            ++reads;
        }
    });
    for (int generation = 2; generation <= 11; ++generation) {
        const pid_t old = server.pid();
        server.restart(generation);
        server.waitForEnd(old);
    }
    server.configure("fault=exit7\n");
    server.signal(SIGHUP);
    server.waitForEvents("restart.failed", 1);
    stop = true;
    reader.join();
    CHECK(bad == 0);
    CHECK(reads > 100);
    const std::vector<pid_t> served = server.pids();
    for (const pid_t pid : seen) {
        CHECK(std::count(served.begin(), served.end(), pid) == 1);
    }
    CHECK(server.end() == 0);
    CHECK(server.pid() == 0);
}

TEST_CASE("05: a pid file that somebody else has taken over is left alone") {
    RestartServer server;
    const pid_t pid = server.pid();
    std::ofstream(server.directory() / "pid") << "1\n";
    ::kill(pid, SIGTERM);
    CHECK(server->waitForExit(10s).code == 0);
    CHECK(server.pid() == 1);
}
