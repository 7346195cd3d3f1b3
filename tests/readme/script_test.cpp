#include "catch.h"
#include "script.h"

using lifecycle::readme::ConsoleBlock;
using lifecycle::readme::parseScript;
using lifecycle::readme::Script;
using lifecycle::readme::SyntaxError;

namespace {

Script scriptOf(const std::vector<std::string>& lines) {
    ConsoleBlock block;
    block.firstLine = 10;
    block.lines = lines;
    return parseScript(block);
}

} // namespace

TEST_CASE("readme: a prompt names its terminal and a plain one is terminal 1") {
    const auto script = scriptOf({"$ a", "1$ b", "2$ c"});
    REQUIRE(script.steps.size() == 3);
    CHECK(script.steps[0].terminal == 1);
    CHECK(script.steps[0].command == "a");
    CHECK(script.steps[0].line == 10);
    CHECK(script.steps[1].terminal == 1);
    CHECK(script.steps[2].terminal == 2);
    CHECK(script.steps[2].command == "c");
    CHECK(script.terminals() == 2);
}

TEST_CASE("readme: output belongs to the last prompt unless it is marked") {
    const auto script = scriptOf({"2$ a", "of two", "1> of one", "", "3>"});
    const auto& expected = script.steps.at(0).expected;
    REQUIRE(expected.size() == 4);
    CHECK(expected[0].terminal == 2);
    CHECK(expected[0].shown.text == "of two");
    CHECK(expected[0].line == 11);
    CHECK(expected[1].terminal == 1);
    CHECK(expected[1].shown.text == "of one");
    CHECK(expected[2].terminal == 2);
    CHECK(expected[3].terminal == 3);
    CHECK(expected[3].shown.text.empty());
    CHECK(script.terminals() == 3);
}

TEST_CASE("readme: a key is no command") {
    const auto script = scriptOf({"$ sleep 9", "$ ^C", "$ ^Z", "$ ^\\", "$ ^D", "$ ^X"});
    CHECK_FALSE(script.steps[0].isKey());
    CHECK(script.steps[1].isKey());
    CHECK(script.steps[1].key() == 3);
    CHECK(script.steps[2].key() == 26);
    CHECK(script.steps[3].key() == 28);
    CHECK(script.steps[4].key() == 4);
    CHECK_FALSE(script.steps[5].isKey());
}

TEST_CASE("readme: a command may go on in the next line") {
    const auto script = scriptOf({"$ seq 3 | \\", "  tail -1", "3"});
    REQUIRE(script.steps.size() == 1);
    CHECK(script.steps[0].command == "seq 3 | \\\n  tail -1");
    CHECK(script.steps[0].promptLines.size() == 2);
    CHECK(script.steps[0].expected.at(0).shown.text == "3");
}

TEST_CASE("readme: lab test is known whatever its arguments") {
    const auto script = scriptOf({"$ ./lab test", "$ ./lab test 03", "$ ./lab tests", "$ ./lab"});
    CHECK(script.steps[0].isLabTest());
    CHECK(script.steps[1].isLabTest());
    CHECK_FALSE(script.steps[2].isLabTest());
    CHECK_FALSE(script.steps[3].isLabTest());
}

TEST_CASE("readme: a block without a prompt or with output above it is an error") {
    CHECK_THROWS_AS(scriptOf({}), SyntaxError);
    CHECK_THROWS_AS(scriptOf({""}), SyntaxError);
    CHECK_THROWS_AS(scriptOf({"output", "$ ls"}), SyntaxError);
}
