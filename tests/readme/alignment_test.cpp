#include "alignment.h"
#include "catch.h"

using lifecycle::readme::align;
using lifecycle::readme::ExpectedLine;
using lifecycle::readme::PrintedLine;

namespace {

/// A comparison as text, a letter a line: `=a` in both, `-a` only shown, `+a` only printed, `*a`
/// taken by any number of lines.
std::string comparison(const std::vector<std::string>& shown,
                       const std::vector<std::string>& printed, bool anyOrder = false) {
    std::vector<ExpectedLine> expected;
    for (const std::string& line : shown) {
        expected.push_back({1, line, 0});
    }
    std::vector<PrintedLine> actual;
    for (const std::string& line : printed) {
        actual.push_back({1, 0, line});
    }
    std::string text;
    for (const auto& row : align(expected, actual, anyOrder)) {
        if (!row.printed) {
            text += "-" + shown[*row.shown];
        } else if (!row.shown) {
            text += "+" + printed[*row.printed];
        } else {
            text += (shown[*row.shown] == "[...]" ? "*" : "=") + printed[*row.printed];
        }
    }
    return text;
}

} // namespace

TEST_CASE("readme: a comparison has the fewest differences") {
    CHECK(comparison({}, {}).empty());
    CHECK(comparison({"a", "b"}, {"a", "b"}) == "=a=b");
    CHECK(comparison({"a", "b", "c"}, {"a", "c"}) == "=a-b=c");
    CHECK(comparison({"a", "c"}, {"a", "b", "c"}) == "=a+b=c");
    CHECK(comparison({"a", "b"}, {"x", "a", "b"}) == "+x=a=b");
    CHECK(comparison({"a"}, {"b"}) == "-a+b");
}

TEST_CASE("readme: in a comparison any number of lines takes what has no line of its own") {
    CHECK(comparison({"a", "[...]", "z"}, {"a", "b", "c", "z"}) == "=a*b*c=z");
    CHECK(comparison({"a", "[...]", "z"}, {"a", "z"}) == "=a=z");
    CHECK(comparison({"a", "[...]", "b"}, {"a", "c", "b", "d"}) == "=a*c=b+d");
    CHECK(comparison({"[...]"}, {}).empty());
}

TEST_CASE("readme: a comparison in any order pairs lines wherever they are") {
    CHECK(comparison({"a", "b", "c"}, {"c", "x", "a"}, true) == "=c+x=a-b");
    CHECK(comparison({"[...]", "a"}, {"x", "a", "y"}, true) == "*x=a*y");
}
