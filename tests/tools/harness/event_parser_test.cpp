#include "catch.h"
#include "event_parser.h"

#include <stdexcept>

using namespace std::chrono_literals;
using lifecycle::test::Event;
using lifecycle::test::parseEvent;

TEST_CASE("support: an event line has a time and a word and fields") {
    const auto event = parseEvent("+12.345s drain.begin in_flight=3 deadline=10s");
    REQUIRE(event);
    CHECK(event->sinceStart == 12345ms);
    CHECK(event->word == "drain.begin");
    CHECK(event->fields.size() == 2);
    CHECK(event->number("in_flight") == 3);
    CHECK(event->field("deadline") == "10s");
    CHECK(event->line == "+12.345s drain.begin in_flight=3 deadline=10s");
}

TEST_CASE("support: a quoted value may hold spaces and quotes and escapes") {
    const auto event = parseEvent(R"(+0.001s exit note="a \"b\" c=d\\\n" code=0)");
    REQUIRE(event);
    CHECK(event->field("note") == "a \"b\" c=d\\\n");
    CHECK(event->number("code") == 0);
}

TEST_CASE("support: an event needs no fields") {
    REQUIRE(parseEvent("+0.000s ready"));
    CHECK(parseEvent("+0.000s ready")->fields.empty());
}

TEST_CASE("support: empty values and keys without a value are fields") {
    const auto event = parseEvent("+0.000s ready a= b c=\"\"");
    REQUIRE(event);
    CHECK(event->field("a").empty());
    CHECK(event->field("b").empty());
    CHECK(event->field("c").empty());
}

TEST_CASE("support: a line that is no event is not taken for one") {
    for (const char* line :
         {"", "ready", "+", "+1.0", "+1.0s", "+1.0s ", "+xs ready", "+1.0 s ready", "1.0s ready",
          "+-1.0s ready", "+nans ready", "+infs ready", "+1e300s ready", "+1.0s key=value", "+1.0s ready note=\"open", "+1.0s ready =value"}) {
        CAPTURE(line);
        CHECK_FALSE(parseEvent(line));
    }
}

TEST_CASE("support: a missing field or a field that is no number says which line") {
    const auto event = parseEvent("+0.000s ready port=http");
    REQUIRE(event);
    CHECK(event->has("port"));
    CHECK_FALSE(event->has("pid"));
    CHECK_THROWS_AS(event->field("pid"), std::out_of_range);
    CHECK_THROWS_AS(event->number("port"), std::invalid_argument);
}
