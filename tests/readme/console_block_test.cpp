#include "catch.h"
#include "console_block.h"

using namespace std::chrono_literals;
using lifecycle::readme::findConsoleBlocks;
using lifecycle::readme::SyntaxError;

TEST_CASE("readme: only blocks tagged console are found") {
    const auto blocks = findConsoleBlocks({
        "# Title",
        "```console", // line 2
        "$ ls",
        "```",
        "```sh",
        "$ not this",
        "```",
        "````markdown",
        "```console",
        "$ nor this",
        "```",
        "````",
        "~~~console", // line 13
        "$ pwd",
        "```",
        "~~~",
    });
    REQUIRE(blocks.size() == 2);
    CHECK(blocks[0].firstLine == 3);
    CHECK(blocks[0].lines == std::vector<std::string>{"$ ls"});
    CHECK(blocks[1].firstLine == 14);
    CHECK(blocks[1].lines == std::vector<std::string>{"$ pwd", "```"});
}

TEST_CASE("readme: the indentation of a fence belongs to no line") {
    const auto blocks = findConsoleBlocks({"1. text", "   ```console", "   $ cat", "     more", "",
                                           " less", "   ```"});
    REQUIRE(blocks.size() == 1);
    CHECK(blocks[0].indent == 3);
    CHECK(blocks[0].lines == std::vector<std::string>{"$ cat", "  more", "", "less"});
}

TEST_CASE("readme: options stand in the info string") {
    const auto plain = findConsoleBlocks({"```console", "```"}).at(0).options;
    CHECK_FALSE(plain.anyOrder);
    CHECK(plain.stepTimeout == 20s);
    CHECK(plain.neededCommands.empty());

    const auto all =
        findConsoleBlocks({"```console any-order timeout=5m skip-if-missing=docker,curl", "```"})
            .at(0)
            .options;
    CHECK(all.anyOrder);
    CHECK(all.stepTimeout == 5min);
    CHECK(all.neededCommands == std::vector<std::string>{"docker", "curl"});
}

TEST_CASE("readme: a wrong option or an open fence names its line") {
    for (const char* option : {"no-run", "timeout", "timeout=", "timeout=5", "timeout=0s",
                               "timeout=5h", "skip-if-missing", "skip-if-missing="}) {
        CAPTURE(option);
        CHECK_THROWS_AS(findConsoleBlocks({"```console " + std::string(option), "```"}),
                        SyntaxError);
    }
    try {
        findConsoleBlocks({"text", "```console", "$ ls"});
        FAIL("no error");
    } catch (const SyntaxError& error) {
        CHECK(std::string(error.what()).find("line 2: ") == 0);
    }
}
