// A Redis that is not one, or cannot be found: neither costs more than an attempt.

#include "catch.h"
#include "preload.h"
#include "process.h"
#include "scripted_server.h"
#include "stage.h"
#include "time_limit.h"

#include <csignal>
#include <fstream>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// The most memory that a process has had, in MiB.
long peakMemory(pid_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) {
            return std::stol(line.substr(6)) / 1024;
        }
    }
    return -1;
}

/// Stage 06 takes the reply for an error, stays small, and ends when it is asked to.
void checkFails(const ScriptedServer::Script& reply, const std::string& error) {
    const ScriptedServer redis([&](ScriptedServer::Peer& peer) {
        if (peer.readByte()) {
            reply(peer);
        }
    });
    const Process server(stage("06_docker", {"--port=0", "--redis=127.0.0.1:" + std::to_string(redis.port())}));
    CHECK(server.waitForEvent("redis.failing").field("error").find(error) != std::string::npos);
    CHECK(peakMemory(server.pid()) < 600); // a sanitizer takes its part
    server.signal(SIGTERM);
    CHECK(server.waitForExit(10s).code == 0);
}

} // namespace

TEST_CASE("06: a reply of arrays in arrays is an error and not the end of the stack") {
    std::string nested;
    for (int depth = 0; depth < 1'000'000; ++depth) {
        nested += "*1\r\n";
    }
    checkFails([&](ScriptedServer::Peer& peer) { peer.write(nested); }, "unexpected reply");
}

TEST_CASE("06: a reply that claims two gigabytes is an error and takes no memory") {
    checkFails([](ScriptedServer::Peer& peer) { peer.write("$2147483647\r\n"); }, "unexpected reply");
}

TEST_CASE("06: a reply without an end is an error") {
    checkFails([](ScriptedServer::Peer& peer) { peer.write(std::string(1 << 20, '+')); }, "longer than");
}

TEST_CASE("06: a reply that comes byte by byte has a second and not one for each byte") {
    checkFails(
        [](ScriptedServer::Peer& peer) {
            for (int i = 0; i < 30; ++i) {
                peer.write("+");
                std::this_thread::sleep_for(100ms); // the pace of a slow peer
            }
        },
        "no reply within 1s");
}

TEST_CASE("06: a reply to another question is an error") {
    checkFails([](ScriptedServer::Peer& peer) { peer.write(":1\r\n"); }, "PONG");
}

TEST_CASE("06: asked to end while the name of Redis is looked up it exits with 0 at once") {
    const Process server(stage("06_docker", {"--port=0", "--redis=slow.example:6379"}),
                         {.environment = preload(SLOW_LOOKUP)});
    server.waitForEvent("lookup.begin");
    server.signal(SIGTERM);
    CHECK(server.waitForExit(10s).code == 0);
}

TEST_CASE("06: a name of Redis that is looked up without end makes exit code 69 and is looked up once") {
    const Process server(stage("06_docker", {"--port=0", "--redis=slow.example:6379"}),
                         {.environment = preload(SLOW_LOOKUP)});
    CHECK(server.waitForExit(30s).code == 69);
    CHECK(server.standardError().back().text.find("looking up slow.example") != std::string::npos);
    CHECK(server.events("lookup.begin").size() == 1);
}
