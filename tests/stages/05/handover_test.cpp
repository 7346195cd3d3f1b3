#include "catch.h"
#include "proc.h"
#include "restart_server.h"
#include "time_limit.h"

#include "lifecycle/file_descriptor.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include <iostream>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::FileDescriptor;

namespace {

bool machineHasIpv6() {
    const FileDescriptor socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

/// One restart as people write it first, under the same load.
bool plainRestartLosesRequests() {
    const LoggedProcess plain({PLAIN_RESTART});
    LoadPlan plan = postingClients(static_cast<int>(plain.waitForEvent("ready").number("port")), 40);
    plan.answerTimeout = 2s;
    LoadClients load(plan);
    REQUIRE(eventually([&] { return load.answered() > 400; }, 30s));
    plain.signal(SIGHUP);
    plain.waitForEvent("ready", 30s, {}, 2);
    plain.waitForExit(30s); // it may take Poco a quarter of a second to begin with its end
    load.stop();
    return load.wait().lost > 0;
}

} // namespace

TEST_CASE("05: HUP replaces the process and a changed message is served from then on") {
    RestartServer server({"--message=old", "--rollback-window=100ms"});
    const pid_t first = server->pid();
    CHECK(server.pid() == first);
    CHECK(server.greeting() == "old pid=" + std::to_string(first) + " generation=1\n");

    server.configure("message=new\n");
    const auto second = static_cast<pid_t>(server.restart(2).number("pid"));
    CHECK(second != first);
    CHECK(server.pid() == second);
    CHECK(server.greeting() == "new pid=" + std::to_string(second) + " generation=2\n");
    CHECK(server->waitForExit(20s).code == 0);
    CHECK(server.end() == 0);
    CHECK(server.pid() == 0);
    CHECK(Connection::to(server.port()).error() == std::errc::connection_refused);
}

TEST_CASE("05: TCP over IPv4 and IPv6 and a Unix path are handed over as the same sockets") {
    const TempDir directory;
    const std::string path = directory.path() / "socket";
    std::vector<std::string> options{"--listen", path, "--rollback-window=100ms"};
    const bool hasIpv6 = machineHasIpv6();
    if (hasIpv6) {
        options.push_back("--listen=[::1]:0");
    } else {
        std::cout << "skipped: the part over IPv6: this machine has no ::1" << std::endl;
    }
    RestartServer server(options);
    const auto before = listeningSockets(server.pid());
    CHECK(before.size() == (hasIpv6 ? 3 : 2));
    for (int generation = 2; generation <= 4; ++generation) {
        const pid_t old = server.pid();
        server.restart(generation);
        CHECK(listeningSockets(server.pid()) == before);
        CHECK(server.waitForEnd(old));
    }
    struct stat status;
    CHECK(::lstat(path.c_str(), &status) == 0);
    CHECK(server.end() == 0);
    CHECK(::lstat(path.c_str(), &status) != 0); // removed by the last one
}

TEST_CASE("05: 25 chained restarts lose no new connection") {
    RestartServer server({"--rollback-window=0s"});
    const auto before = listeningSockets(server.pid());
    LoadPlan plan = postingClients(server.port(), 8, 1ms);
    plan.keepAlive = false;
    LoadClients load(plan);
    for (int generation = 2; generation <= 1 + rounds(25); ++generation) {
        const pid_t old = server.pid();
        const std::size_t answered = load.answered();
        server.restart(generation);
        CHECK(listeningSockets(server.pid()) == before);
        REQUIRE(eventually([&] { return load.answered() >= answered + 20; }, 30s));
        REQUIRE(server.waitForEnd(old));
    }
    load.stop();
    checkNothingLost(load.wait());
    CHECK(server.end() == 0);
}

TEST_CASE("05: keep-alive clients lose nothing over 10 restarts and do with plain stopAll") {
    for (const auto thinkTime : {0ms, 5ms}) {
        RestartServer server({"--rollback-window=0s"});
        LoadClients load(postingClients(server.port(), 40, thinkTime));
        for (int generation = 2; generation <= 1 + rounds(10); ++generation) {
            const std::size_t answered = load.answered();
            const pid_t old = server.pid();
            server.restart(generation);
            REQUIRE(eventually([&] { return load.answered() >= answered + 200; }, 60s));
            REQUIRE(server.waitForEnd(old));
        }
        load.stop();
        const LoadResult result = load.wait();
        checkNothingLost(result);
        CHECK(server.end() == 0);
    }

    CHECK(eventually(plainRestartLosesRequests, 60s));
}
