#include "catch.h"
#include "restart_server.h"

#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

std::string content(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

TEST_CASE("05: whoever reads the pid file finds a process that serves at any moment") {
    RestartServer server({"--rollback-window=50ms"});
    std::atomic<bool> stop = false;
    std::atomic<int> bad = 0;
    std::atomic<int> reads = 0;
    std::set<pid_t> seen;
    std::thread reader([&] {
        while (!stop) {
            const std::string text = content(server.directory() / "pid");
            const pid_t pid = std::atoi(text.c_str());
            bad += text.empty() || text.back() != '\n' || pid <= 1 ? 1 : 0;
            // If it has ended, the file names another one by then, however slow this reader is.
            bad += ::kill(pid, 0) != 0 && content(server.directory() / "pid") == text ? 1 : 0;
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

TEST_CASE("05: a pid file that was replaced by a FIFO or a directory holds neither a restart nor the end") {
    for (const std::string control : {"--control=parent-exits", "--control=stable-pid"}) {
        RestartServer server({control, "--rollback-window=0s"});
        const pid_t pid = server.pid();
        const std::filesystem::path file = server.directory() / "pid";
        std::filesystem::remove(file);
        REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
        ::kill(pid, SIGTERM);
        CHECK(server->waitForExit(10s).code == 0);
        CHECK(std::filesystem::is_fifo(file)); // not theirs
    }
    RestartServer server({"--rollback-window=0s"});
    const pid_t pid = server.pid();
    std::filesystem::remove(server.directory() / "pid");
    std::filesystem::create_directory(server.directory() / "pid");
    ::kill(pid, SIGHUP);
    const Event ready = server.waitForGeneration(2);
    server.waitForEvents("pid_file.failed", 1);
    CHECK(server->waitForExit(10s).code == 0);
    ::kill(static_cast<pid_t>(ready.number("pid")), SIGTERM);
    CHECK(server.waitForEnd(static_cast<pid_t>(ready.number("pid"))));
}
