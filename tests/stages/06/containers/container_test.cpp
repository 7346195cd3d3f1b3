#include "catch.h"
#include "container.h"
#include "http_client.h"

#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// How long `docker stop` takes, which kills after 10 seconds.
Clock::duration stopTime(const Container& container) {
    const auto begin = Clock::now();
    docker({"stop", container.id()});
    return Clock::now() - begin;
}

} // namespace

TEST_CASE(
    "06: docker stop ends the exec form cleanly in less than 3 seconds beside an idle client") {
    if (!dockerIsAvailable()) {
        return;
    }
    std::vector<Clock::duration> times;
    for (int attempt = 0; attempt < 3 && (times.empty() || times.back() >= 3s); ++attempt) {
        const Container container("lab"); // again if the machine, and with it docker, was busy
        REQUIRE(container.tells("ready"));
        Connection idle = Connection::to(container.port());
        idle.send(httpRequest("GET", "/healthz"));
        CHECK(idle.readResponse(10s).keepsAlive());
        times.push_back(stopTime(container));
        CHECK(container.exitCode() == 0);
    }
    CHECK(times.back() < 3s);
}

TEST_CASE("06: docker stop has to kill the shell form after 10 seconds") {
    if (!dockerIsAvailable()) {
        return;
    }
    const Container container("lab-shell-form");
    REQUIRE(container.tells("ready"));
    CHECK(stopTime(container) >= 9s);
    CHECK(container.exitCode() == 137);
    CHECK_FALSE(container.tells("signal", 0s)); // the service has never heard of it
}

TEST_CASE("06: docker stop waits for work in the background") {
    if (!dockerIsAvailable()) {
        return;
    }
    const Container container("lab", {"--env", "LAB_WORK=3s"});
    REQUIRE(container.tells("ready"));
    CHECK(get(container.port(), "/incr").status == 200);
    docker({"stop", container.id()});
    CHECK(container.exitCode() == 0);
    CHECK(container.log().find("counter.total value=1 ") != std::string::npos);
}

TEST_CASE("06: SIGTERM 50 ms after the start of a container ends it cleanly") {
    if (!dockerIsAvailable()) {
        return;
    }
    for (int round = 0; round < 3; ++round) {
        const Container container("lab");
        std::this_thread::sleep_for(50ms);
        container.signal("TERM");
        CHECK(container.exitCode() == 0);
    }
}

TEST_CASE("06: SIGUSR1 and SIGUSR2 to a container are harmless and SIGHUP shuts it down") {
    if (!dockerIsAvailable()) {
        return;
    }
    const Container container("lab", {"--env", "LAB_WORK=10ms"});
    REQUIRE(container.tells("ready"));
    container.signal("USR1");
    container.signal("USR2");
    CHECK(get(container.port(), "/incr").status == 200);
    container.signal("HUP");
    CHECK(container.exitCode() == 0);
    CHECK(container.log().find("counter.total value=1 ") != std::string::npos);
}

TEST_CASE("06: a second signal forces the end of process 1 of a container") {
    if (!dockerIsAvailable()) {
        return;
    }
    const Container container("lab", {"--env", "LAB_WORK=1h", "--env", "LAB_TIMEOUT=1h"});
    REQUIRE(container.tells("ready"));
    CHECK(get(container.port(), "/incr").status == 200);
    container.signal("TERM");
    REQUIRE(container.tells("jobs.begin")); // docker takes longer than the 50 ms of a key bounce
    std::this_thread::sleep_for(60ms);
    container.signal("TERM");
    CHECK(container.exitCode() == 128 + 15);
}

TEST_CASE("06: it needs neither root nor capabilities nor a file system to write to") {
    if (!dockerIsAvailable()) {
        return;
    }
    for (const char* user : {"65532:65532", "12345"}) {
        const Container container("lab", {"--read-only", "--cap-drop", "ALL", "--user", user,
                                          "--security-opt", "no-new-privileges", "--env",
                                          "LAB_WORK=10ms"});
        REQUIRE(container.tells("ready"));
        CHECK(get(container.port(), "/incr").status == 200);
        docker({"stop", container.id()});
        CHECK(container.exitCode() == 0);
    }
}

TEST_CASE("06: in the lame duck the container turns unhealthy") {
    if (!dockerIsAvailable()) {
        return;
    }
    const Container container("lab", {"--env", "LAB_LAME_DUCK=1h"});
    CHECK(eventually([&] { return container.health() == "healthy"; }, 30s));
    container.signal("TERM");
    CHECK(eventually([&] { return container.health() == "unhealthy"; }, 30s));
    CHECK(get(container.port(), "/hello?work=1ms").status == 200);
    CHECK(container.inspect("{{(index .State.Health.Log 0).ExitCode}}") == "0");
}

TEST_CASE("06: the image says how it wants to be run") {
    if (!dockerIsAvailable()) {
        return;
    }
    const auto config = [](const std::string& field) {
        return docker({"image", "inspect", "--format", "{{json .Config." + field + "}}", "lab"});
    };
    CHECK(config("Entrypoint") == R"(["/usr/bin/env","--block-signal=HUP,INT,QUIT,TERM","/usr/local/bin/06_docker"])");
    CHECK(config("StopSignal") == R"("SIGTERM")");
    CHECK(config("User") == R"("65532:65532")");
    CHECK(config("Healthcheck").find("--healthcheck") != std::string::npos);
    const long long size = std::stoll(docker({"image", "inspect", "--format", "{{.Size}}", "lab"}));
    const long long base =
        std::stoll(docker({"image", "inspect", "--format", "{{.Size}}", "debian:bookworm-slim"}));
    CHECK(size - base < 20'000'000);
    WARN("the image has " << size / 1'000'000 << " MB, " << (size - base) / 1'000'000
                          << " MB more than its base");
}
