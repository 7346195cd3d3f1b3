#include "catch.h"
#include "expected_output.h"

using lifecycle::readme::ConsoleBlock;
using lifecycle::readme::expectedOutput;
using lifecycle::readme::parseScript;

namespace {

/// What a block shows of terminal 1.
auto shown(const std::vector<std::string>& lines, bool anyOrder = false) {
    ConsoleBlock block;
    block.firstLine = 1;
    block.lines = lines;
    block.options.anyOrder = anyOrder;
    return expectedOutput(parseScript(block), 1);
}

} // namespace

TEST_CASE("readme: lines of a terminal come in the order shown") {
    const auto output = shown({"$ x", "a", "", "b"});
    CHECK_FALSE(output->accept("b"));
    CHECK(output->accept("a"));
    CHECK_FALSE(output->reached(0));
    CHECK(output->missing(0).at(0).shown.text == "b");
    CHECK(output->accept("b"));
    CHECK(output->reached(0));
    CHECK_FALSE(output->accept("c"));
}

TEST_CASE("readme: lines of another terminal are not this one's") {
    const auto output = shown({"$ x", "2> a", "2$ y", "b", "1> c"});
    CHECK(output->reached(0));
    CHECK_FALSE(output->reached(1));
    CHECK(output->accept("c"));
    CHECK(output->reached(1));
}

TEST_CASE("readme: any number of lines may be none and ends where the next line fits") {
    for (const auto& printed : std::vector<std::vector<std::string>>{
             {"a", "z"}, {"a", "b", "z"}, {"a", "z", "b", "z"}, {"a", "a", "z"}}) {
        const auto output = shown({"$ x", "a", "[...]", "z"});
        for (const std::string& line : printed) {
            CAPTURE(line);
            CHECK(output->accept(line));
        }
        CHECK(output->reached(0));
    }
    const auto output = shown({"$ x", "a", "[...]", "z"});
    CHECK(output->accept("a"));
    CHECK(output->accept("b"));
    CHECK_FALSE(output->reached(0));
}

TEST_CASE("readme: any number of lines ends with its command") {
    const auto output = shown({"$ x", "[...]", "$ y", "b"});
    CHECK(output->reached(0));
    CHECK(output->accept("a"));
    output->finish(0);
    CHECK_FALSE(output->accept("c"));
    CHECK(output->accept("b"));
    CHECK(output->reached(1));
}

TEST_CASE("readme: any-order compares the lines of a step as a multiset") {
    const auto output = shown({"$ x", "a", "b", "a", "$ y", "c"}, true);
    CHECK(output->accept("b"));
    CHECK(output->accept("a"));
    CHECK_FALSE(output->accept("b"));
    CHECK_FALSE(output->accept("c")); // an a is still to come
    CHECK(output->missing(0).size() == 1);
    CHECK(output->accept("a"));
    CHECK(output->reached(0));
    CHECK(output->accept("c"));
    CHECK(output->reached(1));
}

TEST_CASE("readme: any-order gives each line the place that leaves one for the others") {
    const auto output = shown({"$ x", "[..]", "a[..]", "ab"}, true);
    CHECK(output->accept("ab"));
    CHECK(output->accept("ac"));
    CHECK(output->accept("zz"));
    CHECK(output->reached(0));
    CHECK_FALSE(output->accept("zz"));
}

TEST_CASE("readme: any-order with any number of lines takes the others") {
    const auto output = shown({"$ x", "[...]", "a"}, true);
    CHECK(output->accept("z"));
    CHECK_FALSE(output->reached(0));
    CHECK(output->accept("a"));
    CHECK(output->reached(0));
    CHECK(output->accept("y"));
    output->finish(0);
    CHECK_FALSE(output->accept("y"));
}

TEST_CASE("readme: the output below lab test is not compared") {
    const auto output = shown({"$ ./lab test", "100% passed"});
    CHECK(output->reached(0));
}
