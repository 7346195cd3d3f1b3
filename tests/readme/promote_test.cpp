#include "catch.h"
#include "promote.h"

using lifecycle::readme::ConsoleBlock;
using lifecycle::readme::parseScript;
using lifecycle::readme::PrintedLine;
using lifecycle::readme::promote;

namespace {

using Lines = std::vector<std::string>;

Lines promoted(const Lines& blockLines, const std::vector<PrintedLine>& printed) {
    ConsoleBlock block;
    block.firstLine = 1;
    block.lines = blockLines;
    return promote(parseScript(block), printed);
}

PrintedLine line(int terminal, std::size_t step, const std::string& text) {
    return {terminal, step, text};
}

} // namespace

TEST_CASE("readme: promoting what fits changes nothing") {
    const Lines block = {"1$ a \\", "  b",          "+0.1s ready pid=1", "", "x [..]",
                         "[...]",   "",             "2$ c",              "", "1> late",
                         "[..]",    "1$ ./lab test", "all passed"};
    CHECK(promoted(block, {line(1, 0, "+0.2s ready pid=2"), line(1, 0, ""), line(1, 0, "x y"),
                           line(1, 0, "1"), line(1, 0, "2"), line(2, 1, ""),
                           line(1, 1, "late"), line(2, 1, "c")}) == block);
}

TEST_CASE("readme: promoting writes only what is different") {
    CHECK(promoted({"$ a", "same [..]", "old", "$ b"},
                   {line(1, 0, "same 1"), line(1, 0, "new"), line(1, 1, "added")}) ==
          Lines{"$ a", "same [..]", "new", "$ b", "added"});
}

TEST_CASE("readme: promoting marks the output of the other terminal") {
    CHECK(promoted({"1$ a", "2$ b"},
                   {line(2, 0, "early"), line(1, 1, "one"), line(2, 1, "two")}) ==
          Lines{"1$ a", "2> early", "2$ b", "two", "1> one"});
}

TEST_CASE("readme: promoting leaves what fits where it is") {
    CHECK(promoted({"1$ a", "ready", "2$ b", "1> [...]", "1> end", "2> two"},
                   {line(1, 0, "ready"), line(2, 1, "two"), line(1, 1, "x"), line(2, 1, "new"),
                    line(1, 1, "end")}) ==
          Lines{"1$ a", "ready", "2$ b", "1> [...]", "1> end", "2> two", "new"});
}

TEST_CASE("readme: promoting puts no output above the prompt that it followed") {
    CHECK(promoted({"1$ a", "ready", "late", "1$ ^C", "end"},
                   {line(1, 0, "ready"), line(1, 1, "late"), line(1, 1, "new"),
                    line(1, 1, "end")}) ==
          Lines{"1$ a", "ready", "1$ ^C", "late", "new", "end"});
}

TEST_CASE("readme: promoting does not let any number of lines reach over a command") {
    CHECK(promoted({"$ a", "[...]", "$ b"},
                   {line(1, 0, "x"), line(1, 1, "y")}) == Lines{"$ a", "[...]", "$ b", "y"});
}

TEST_CASE("readme: promoting keeps the empty lines of a program but not those behind a key") {
    CHECK(promoted({"$ a", "$ ^C"}, {line(1, 0, "x"), line(1, 0, ""), line(1, 0, "y"),
                                     line(1, 1, ""), line(1, 1, "z")}) ==
          Lines{"$ a", "x", "", "y", "$ ^C", "z"});
}

TEST_CASE("readme: retaking renews what fits unless it has a wildcard") {
    ConsoleBlock block;
    block.firstLine = 1;
    block.lines = {"$ a", "+0.1s ready pid=1", "x [..]", "[...]"};
    CHECK(promote(parseScript(block),
                  {line(1, 0, "+0.2s ready pid=2"), line(1, 0, "x y"), line(1, 0, "1")},
                  lifecycle::readme::OldLines::retake) ==
          Lines{"$ a", "+0.2s ready pid=2", "x [..]", "[...]"});
}
