#include "catch.h"
#include "probe.h"
#include "process.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using lifecycle::test::probe;
using lifecycle::test::Process;

namespace {

using Arguments = std::vector<std::string>;

struct Outcome {
    int code;
    std::string output;
    std::vector<std::string> errors; ///< the lines of stderr
};

Outcome run(const Arguments& arguments) {
    const Process process(probe("options", arguments));
    const int code = process.waitForExit(20s).code;
    std::vector<std::string> errors;
    for (const auto& line : process.standardError()) {
        errors.push_back(line.text);
    }
    return {code, process.standardOutput(), errors};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("library: options are read in both spellings and the last one wins") {
    const std::vector<std::pair<Arguments, std::string>> table{
        {{}, "world|10s|8080|256|graceful|quiet\n"},
        {{"--timeout", "1.5s"}, "world|1.5s|8080|256|graceful|quiet\n"},
        {{"--timeout=1.5s"}, "world|1.5s|8080|256|graceful|quiet\n"},
        {{"--timeout=1s", "--timeout", "2s"}, "world|2s|8080|256|graceful|quiet\n"},
        {{"--port", "0", "--threads=1"}, "world|10s|0|1|graceful|quiet\n"},
        {{"--verbose", "--strategy", "stop"}, "world|10s|8080|256|stop|verbose\n"},
        {{"--verbose", "--verbose"}, "world|10s|8080|256|graceful|verbose\n"},
        {{"--name", "a=b:c d"}, "a=b:c d|10s|8080|256|graceful|quiet\n"},
        {{"--name=a=b"}, "a=b|10s|8080|256|graceful|quiet\n"},
        {{"--name=::1"}, "::1|10s|8080|256|graceful|quiet\n"},
        {{"--name", "--port"}, "--port|10s|8080|256|graceful|quiet\n"},
        {{"--name="}, "|10s|8080|256|graceful|quiet\n"},
        {{"--name", ""}, "|10s|8080|256|graceful|quiet\n"},
    };
    for (const auto& [arguments, expected] : table) {
        const Outcome outcome = run(arguments);
        CAPTURE(arguments, outcome.errors);
        CHECK(outcome.code == 0);
        CHECK(outcome.output == expected);
    }
}

TEST_CASE("library: a bad option is one line on stderr that names it and what is allowed") {
    struct Row {
        Arguments arguments;
        std::vector<std::string> parts;
    };
    const std::vector<Row> table{
        {{"--bogus"}, {"unknown option --bogus", "--timeout", "--port"}},
        {{"--bogus=1"}, {"unknown option --bogus;"}},
        {{"--time", "1s"}, {"unknown option --time;", "--timeout"}},
        {{"--timeout:1s"}, {"unknown option --timeout:1s"}},
        {{"-timeout", "1s"}, {"unknown option -timeout"}},
        {{"-h"}, {"unknown option -h", "--help"}},
        {{"--"}, {"unknown option --;"}},
        {{"--TIMEOUT", "1s"}, {"unknown option --TIMEOUT"}},
        {{"stray"}, {"unexpected argument \"stray\""}},
        {{""}, {"unexpected argument \"\""}},
        {{"--timeout"}, {"--timeout", "a value is missing", "DURATION"}},
        {{"--verbose=yes"}, {"--verbose", "takes no value"}},
        {{"--verbose", "yes"}, {"unexpected argument \"yes\""}},
        {{"--timeout", "5"}, {"--timeout", "\"5\"", "no unit", "300ms"}},
        {{"--timeout", "-5s"}, {"--timeout", "\"-5s\"", "negative"}},
        {{"--timeout="}, {"--timeout", "empty"}},
        {{"--port", "65536"}, {"--port", "\"65536\"", "0 to 65535"}},
        {{"--port=http"}, {"--port", "\"http\"", "0 to 65535"}},
        {{"--threads", "0"}, {"--threads", "1 to 1000"}},
        {{"--threads", "99999999999"}, {"--threads", "1 to 1000"}},
        {{"--strategy", "hard"}, {"--strategy", "\"hard\"", "graceful, stop"}},
        {{"--timeout", "1\n2"}, {"--timeout", "\"1\\x0a2\""}},
        {{"--bo\ngus"}, {"unknown option --bo\\x0agus"}},
        {{"--timeout", "\x1b[2J"}, {"\"\\x1b[2J\"", "not a duration"}},
        {{"--timeout", "\xc2\x9b\xe2\x80\xa8\xff"}, {"\"\\xc2\\x9b\\xe2\\x80\\xa8\\xff\"", "not a duration"}},
        {{"--timeout", "f\u00fcnf"}, {"\"f\u00fcnf\"", "not a duration"}},
        {{"--port", std::string(100'000, 'x')}, {"--port: \"xxx", "xxx [...] xxx", "xxx\" is not a number from 0 to 65535"}},
        {{"--" + std::string(100'000, '\x1b')}, {"unknown option --\\x1b", "--timeout", "--verbose"}},
    };
    for (const Row& row : table) {
        const Outcome outcome = run(row.arguments);
        CAPTURE(row.arguments, outcome.errors);
        CHECK(outcome.code == 64);
        CHECK(outcome.output.empty());
        REQUIRE(outcome.errors.size() == 1);
        CHECK(outcome.errors[0].rfind("probe: ", 0) == 0);
        CHECK(outcome.errors[0].size() < 1200);
        for (const std::string& part : row.parts) {
            CAPTURE(part);
            CHECK(contains(outcome.errors[0], part));
        }
    }
}

TEST_CASE("library: help shows each option with its default and unit") {
    for (const Arguments& arguments : {Arguments{"--help"}, Arguments{"--port=1", "--help", "--bogus"}}) {
        const Outcome outcome = run(arguments);
        CHECK(outcome.code == 0);
        CHECK(outcome.errors.empty());
        for (const std::string part :
             {"probe: shows what it was given", "--name TEXT", "(default world)", "--empty TEXT",
              "(default none)", "--timeout DURATION", "(default 10s)", "--port PORT",
              "--threads NUMBER", "(default 256)", "--strategy graceful|stop", "(default graceful)",
              "--verbose", "--help", "--version", "300ms"}) {
            CAPTURE(part);
            CHECK(contains(outcome.output, part));
        }
    }
}

TEST_CASE("library: help is not asked for by the value of an option") {
    CHECK(run({"--name", "--help"}).output == "--help|10s|8080|256|graceful|quiet\n");
}

TEST_CASE("library: version shows the program and a number") {
    const Outcome outcome = run({"--version"});
    CHECK(outcome.code == 0);
    CHECK(outcome.output.rfind("probe ", 0) == 0);
    CHECK(std::count(outcome.output.begin(), outcome.output.end(), '.') == 2);
    CHECK(outcome.errors.empty());
}
