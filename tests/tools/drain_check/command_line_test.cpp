#include "catch.h"
#include "process.h"

using namespace lifecycle::test;
using namespace std::chrono_literals;

namespace {

struct Ended {
    int code;
    std::string output;
    std::vector<CapturedLine> errors;
};

Ended run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), DRAIN_CHECK);
    const Process process(arguments);
    const int code = process.waitForExit(60s).code;
    return {code, process.standardOutput(), process.standardError()};
}

/// Refused with this exit code, and one line that says `why`.
void checkRefused(int code, const std::vector<std::string>& arguments, const std::string& why) {
    const Ended ended = run(arguments);
    CAPTURE(arguments);
    CHECK(ended.code == code);
    REQUIRE(ended.errors.size() == 1);
    CAPTURE(ended.errors[0].text);
    CHECK(ended.errors[0].text.rfind("drain_check: ", 0) == 0);
    CHECK(ended.errors[0].text.find(why) != std::string::npos);
}

} // namespace

TEST_CASE("drain_check: a bad command line is one line and exit code 64") {
    checkRefused(64, {}, "no command");
    checkRefused(64, {"--"}, "no command");
    checkRefused(64, {"--", "server", "8080"}, "{port}");
    checkRefused(64, {"server", "{port}"}, "unexpected argument \"server\"");
    checkRefused(64, {"--frobnicate", "--", "server", "{port}"}, "--frobnicate");
    checkRefused(64, {"--timeout", "10", "--", "server", "{port}"}, "it has no unit");
    checkRefused(64, {"--signal=KILL", "--", "server", "{port}"}, "cannot be caught");
    checkRefused(64, {"--restart-signal=FOO", "--", "server", "{port}"}, "FOO");
    checkRefused(64, {"--only=idle-exit,foo", "--", "server", "{port}"}, "no scenario \"foo\"");
    checkRefused(64, {"--path=hello", "--", "server", "{port}"}, "begins with /");
    checkRefused(64, {"--stream-path=/stream", "--", "server", "{port}"}, "{ms}");
    checkRefused(64, {"--clients=0", "--", "server", "{port}"}, "1 to 500");
    checkRefused(64, {"--path", "--", "server", "{port}"}, "a value is missing");
}

TEST_CASE("drain_check: durations that no run can take are refused") {
    checkRefused(64, {"--timeout=2562047h", "--", CARELESS_SERVER, "none", "{port}"}, "longer than 24h");
}

TEST_CASE("drain_check: a command that never listens is one line and exit code 69") {
    checkRefused(69, {"--", "/no/such/server", "{port}"}, "No such file");
    checkRefused(69, {"--start-limit=300ms", "--", "sleep", "1{port}"}, "does not listen");
    checkRefused(69, {"--", "sh", "-c", "echo port {port} is not mine >&2; exit 3"}, "(exit code 3): port ");
    checkRefused(69, {"--start-limit=300ms", "--", "sh", "-c", ": {port}; exec " CARELESS_SERVER " none 0"},
                 "does not listen");
    checkRefused(69, {"--start-limit=300ms", "--", CARELESS_SERVER, "mute", "{port}"}, "does not answer GET / by HTTP");
}

TEST_CASE("drain_check: --list tells of each scenario what passes and why") {
    const Ended ended = run({"--list"});
    CHECK(ended.code == 0);
    for (const char* name :
         {"idle-exit", "in-flight", "last-response", "deadline", "new-connections", "readiness", "in-line", "queued",
          "burst", "idle-keep-alive", "busy-keep-alive", "silent", "close-announced", "half-header", "trickled-header",
          "slow-reader", "slow-upload", "stream", "second-signal", "signal-during-start", "client-resets",
          "descriptors", "restart-connections", "restart-keep-alive"}) {
        CAPTURE(name);
        CHECK(ended.output.find(std::string(name) + "\n    passes: ") != std::string::npos);
    }
}

TEST_CASE("drain_check: --help shows the options and their defaults") {
    const Ended ended = run({"--help"});
    CHECK(ended.code == 0);
    CHECK(ended.output.find("--exit-limit DURATION") != std::string::npos);
    CHECK(ended.output.find("(default 10s)") != std::string::npos);
}
