#include "catch.h"
#include "increment_server.h"
#include "options_check.h"
#include "signals_check.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

IncrementServer started(const std::vector<std::string>& environment,
                        const std::vector<std::string>& options = {}) {
    return IncrementServer(options, {.environment = environment});
}

/// Fails the test unless the program refuses this environment in one line with all these parts.
void checkRefused(const std::string& variable, const std::vector<std::string>& parts) {
    const Process process(stage("06_docker"), {.environment = {variable}});
    CHECK(process.waitForExit(10s).code == 64);
    REQUIRE(process.standardError().size() == 1);
    for (const std::string& part : parts) {
        CAPTURE(process.standardError()[0].text, part);
        CHECK(process.standardError()[0].text.find(part) != std::string::npos);
    }
}

} // namespace

TEST_CASE("06: the options are those of all stages and its own") {
    checkCommonOptions("06_docker",
                       {"--address TEXT", "--port PORT", "--redis HOST:PORT", "--work DURATION",
                        "--timeout DURATION", "--lame-duck DURATION", "--keepalive-grace DURATION",
                        "--keep-alive-timeout DURATION", "--grace DURATION",
                        "--mode respond-first|respond-last", "--second-term force|ignore", "--jobs NUMBER", "--naive",
                        "--healthcheck", "--help", "--version"});
}

TEST_CASE("06: durations need a unit") {
    for (const char* option : {"--work", "--timeout", "--lame-duck", "--keepalive-grace", "--keep-alive-timeout", "--grace"}) {
        checkDurationOption("06_docker", option);
    }
}

TEST_CASE("06: bad addresses of Redis and unknown modes are refused") {
    for (const char* address : {"", "localhost", ":6379", "localhost:", "localhost:0",
                                "localhost:65536", "localhost:x"}) {
        lifecycle::test::checkRefused(stage("06_docker", {std::string("--redis=") + address}),
                                      {"--redis", "HOST:PORT"});
    }
    lifecycle::test::checkRefused(stage("06_docker", {"--mode", "respond-never"}),
                                  {"--mode", "respond-first", "respond-last"});
}

TEST_CASE("06: every option is read from the environment and the command line wins") {
    const IncrementServer server =
        started({"LAB_TIMEOUT=3s", "LAB_LAME_DUCK=0s", "LAB_GRACE=20s", "LAB_PORT=1"},
                {"--lame-duck=10ms"});
    const Event plan = server.waitForEvent("plan");
    CHECK(plan.field("timeout") == "3s");
    CHECK(plan.field("lame_duck") == "10ms");
    CHECK(server.waitForEvent("plan.total").field("grace") == "20s");
    CHECK(server.port() != 1);
    CHECK(server.end().code == 0);
}

TEST_CASE("06: flags are 1 or 0 in the environment and an empty variable is none") {
    const IncrementServer naive =
        started({"LAB_NAIVE=1", "LAB_TIMEOUT=", "LAB_HEALTHCHECK=0", "LAB_WORK=1h"});
    CHECK(naive.increment() == 1);
    CHECK(naive.end().code == 0);
    CHECK(naive.events("jobs.begin").empty());
    CHECK(naive.waitForEvent("plan").field("timeout") == "8s");
}

TEST_CASE("06: a bad variable is not read where an option says otherwise or help is asked for") {
    const std::string ofKubernetes = "LAB_PORT=tcp://10.0.0.1:8080";
    CHECK(started({ofKubernetes}, {}).port() != 0);
    const Process help(stage("06_docker", {"--help"}), {.environment = {ofKubernetes}});
    CHECK(help.waitForExit(10s).code == 0);
}

TEST_CASE("06: a bad variable is refused by its name") {
    checkRefused("LAB_TIMEOUT=5", {"LAB_TIMEOUT", "300ms"});
    checkRefused("LAB_NAIVE=yes", {"LAB_NAIVE", "1 or 0"});
    checkRefused("LAB_MODE=never", {"LAB_MODE", "respond-first"});
    checkRefused("LAB_PORT=tcp://10.0.0.1:8080",
                 {"LAB_PORT", "65535"}); // what Kubernetes would set for a Service "lab"
    checkRefused("REDIS_ADDR=localhost", {"REDIS_ADDR", "HOST:PORT"});
}

TEST_CASE("06: REDIS_ADDR names Redis unless an option does") {
    const Process byAddress(stage("06_docker", {"--port=0"}),
                             {.environment = {"REDIS_ADDR=127.0.0.1:1"}});
    CHECK(byAddress.waitForEvent("redis.failing").field("address") == "127.0.0.1:1");
    const Process byOption(stage("06_docker", {"--port=0", "--redis=127.0.0.1:2"}),
                            {.environment = {"REDIS_ADDR=127.0.0.1:1", "LAB_REDIS=127.0.0.1:3"}});
    CHECK(byOption.waitForEvent("redis.failing").field("address") == "127.0.0.1:2");
}

TEST_CASE(
    "06: a shutdown that does not fit the grace period is told at the start with the figures") {
    const IncrementServer fits({"--lame-duck=1s", "--timeout=8s"});
    CHECK(fits.waitForEvent("plan").field("margin") == "1s");
    CHECK(fits.waitForEvent("plan.total").field("at_most") == "10s");
    CHECK_FALSE(fits.waitForEvent("plan.total").has("warning"));

    const IncrementServer tooLong({"--lame-duck=2s", "--timeout=8s"});
    const Event total = tooLong.waitForEvent("plan.total");
    CHECK(total.field("at_most") == "11s");
    CHECK(total.field("grace") == "10s");
    CHECK(total.field("warning").find("killed") != std::string::npos);

    const IncrementServer unknown({"--timeout=1h", "--grace=0s"});
    CHECK_FALSE(unknown.waitForEvent("plan.total").has("warning"));
}

TEST_CASE("06: work longer than the timeout is told at the start") {
    const IncrementServer server({"--work=9s", "--timeout=8s"});
    CHECK(server.waitForEvent("plan.work").has("warning"));
}

TEST_CASE("06: a port that is taken makes exit code 69") {
    const IncrementServer first;
    const Process second(stage("06_docker", {"--port=" + std::to_string(first.port())}));
    CHECK(second.waitForExit(10s).code == 69);
}

TEST_CASE("06: a signal in the first 50 ms ends it cleanly") {
    checkSignalWhileStarting(stage("06_docker", {"--port=0"}), 5ms);
}

TEST_CASE("06: an absurdly long timeout does not fit the grace period either") {
    const IncrementServer server({"--timeout=2562047h", "--lame-duck=1h"});
    CHECK(server.waitForEvent("plan.total").has("warning"));
}
