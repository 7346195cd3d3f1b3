#include "catch.h"
#include "options_check.h"
#include "process.h"
#include "stage.h"

#include <map>
#include <string>

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("03: the options are those of all stages") {
    checkCommonOptions("03_http_shutdown",
                       {"--address TEXT", "--port PORT", "--work DURATION", "--timeout DURATION",
                        "--lame-duck DURATION", "--keepalive-grace DURATION", "--keep-alive-timeout DURATION", "--threads NUMBER",
                        "--queue NUMBER", "--strategy graceful|stopall|stop",
                        "--second-term force|ignore", "--deaf", "--help", "--version"});
}

TEST_CASE("03: the help shows each default with its unit") {
    const Process help(stage("03_http_shutdown", {"--help"}));
    help.waitForExit(10s);
    const std::string text = help.standardOutput();
    for (const auto& [option, value] : std::map<std::string, std::string>{
             {"--address", "127.0.0.1"}, {"--port", "8080"}, {"--work", "5s"}, {"--timeout", "10s"},
             {"--lame-duck", "0s"}, {"--keepalive-grace", "100ms"}, {"--keep-alive-timeout", "1m15s"}, {"--threads", "256"},
             {"--queue", "1024"}, {"--strategy", "graceful"}}) {
        CAPTURE(option, value, text);
        const auto begin = text.find("\n  " + option + " ");
        REQUIRE(begin != std::string::npos);
        const std::string line = text.substr(begin + 1, text.find('\n', begin + 1) - begin - 1);
        CHECK(line.ends_with("(default " + value + ")"));
    }
}

TEST_CASE("03: durations need a unit") {
    for (const char* option : {"--work", "--timeout", "--lame-duck", "--keepalive-grace", "--keep-alive-timeout"}) {
        checkDurationOption("03_http_shutdown", option);
    }
}

TEST_CASE("03: numbers out of range and unknown strategies are refused") {
    for (const char* port : {"65536", "-1", "", "http", "80.0", "99999999999"}) {
        checkRefused(stage("03_http_shutdown", {"--port", port}), {"--port", "0 to 65535"});
    }
    for (const char* option : {"--threads", "--queue"}) {
        for (const char* number : {"0", "-1", "", "many"}) {
            checkRefused(stage("03_http_shutdown", {option, number}), {option, "from 1 to"});
        }
    }
    checkRefused(stage("03_http_shutdown", {"--strategy", "polite"}),
                 {"--strategy", "polite", "graceful", "stopall", "stop"});
}

TEST_CASE("03: an address that cannot be is one short line without control characters") {
    const Process server(stage("03_http_shutdown", {"--address", "\x1b[2J" + std::string(100'000, 'a')}));
    CHECK(server.waitForExit(10s).code == 69);
    const auto lines = server.standardError();
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].text.size() < 1200);
    CHECK(lines[0].text.find("\\x1b[2J") != std::string::npos);
}
