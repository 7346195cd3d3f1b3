#include "catch.h"
#include "kinds.h"
#include "sentence.h"
#include "svg.h"

#include <set>

using namespace lifecycle::timeline;

namespace {

Timeline everyKind() {
    return {"a <title> & more",
            {{"client 1", {{0, 1, Kind::served, "200"}}},
             {"client 2", {{0, 0.5, Kind::unavailable, "503"}}},
             {"client 3", {{0.6, 0.6, Kind::refused, "refused"}}},
             {"client 4", {{0.2, 1, Kind::cut, "cut"}}},
             {"client 5", {{0.2, 1, Kind::lost, "reset"}}},
             {"stop work", {{0.3, 1, Kind::work, "done"}}},
             {"background work", {{0.2, 1, Kind::lostWork, "20 lost"}}},
             {"hook", {{0.3, 1, Kind::step, ""}}},
             {"generation 1", {{0, 1, Kind::process, ""}}}},
            {{0.3, "SIGTERM"}, {0.31, "readiness off"}, {1.0, "exit"}}};
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
        ++found;
    }
    return found;
}

} // namespace

TEST_CASE("timeline: the SVG draws each kind with a pattern of its own") {
    const std::string picture = svg({everyKind()});
    std::set<std::string> tiles;
    for (auto at = picture.find("<path d=\""); at != std::string::npos; at = picture.find("<path d=\"", at + 1)) {
        tiles.insert(picture.substr(at, picture.find("stroke", at) - at));
    }
    CHECK(tiles.size() == 7); // served and process have none
    CHECK(count(picture, "<pattern ") == 9);
}

TEST_CASE("timeline: lost work has a colour of its own, on a light page and on a dark one") {
    for (const auto colourOf : {&Look::colour, &Look::darkColour}) {
        std::set<std::string> colours;
        for (const Kind kind : {Kind::served, Kind::unavailable, Kind::refused, Kind::cut, Kind::lost, Kind::work,
                                Kind::lostWork, Kind::step, Kind::process}) {
            colours.insert(lookOf(kind).*colourOf);
        }
        CHECK(colours.size() == 9);
    }
    const std::string picture = svg({everyKind()});
    CHECK(count(picture, lookOf(Kind::lostWork).colour) == 1);
    CHECK(count(picture, lookOf(Kind::lostWork).darkColour) == 1);
}

TEST_CASE("timeline: the SVG brings its own background and has no colour outside of its style") {
    const std::string picture = svg({everyKind()});
    const auto style = picture.find("</style>");
    REQUIRE(style != std::string::npos);
    CHECK(picture.find("prefers-color-scheme: dark") < style);
    CHECK(picture.find("rx=\"8\" class=\"paper grid\"") != std::string::npos);
    CHECK(picture.find("fill=\"#", style) == std::string::npos);
    CHECK(picture.find("stroke=\"#", style) == std::string::npos);
}

TEST_CASE("timeline: the SVG escapes what it is told and ends what it begins") {
    const std::string picture = svg({everyKind()});
    CHECK(picture.find("a &lt;title&gt; &amp; more") != std::string::npos);
    CHECK(picture.find("a <title>") == std::string::npos);
    CHECK(count(picture, "<text ") == count(picture, "</text>"));
    CHECK(picture.rfind("</svg>\n") == picture.size() - 7);
}

TEST_CASE("timeline: what XML does not allow is replaced") {
    Timeline run = everyKind();
    run.title = "a\x1b" "b\x9b" "c\xef\xbf\xbf" "d\u20ac\te";
    const std::string picture = svg({run});
    CHECK(picture.find("a\ufffdb\ufffdc\ufffd") != std::string::npos);
    CHECK(picture.find("d\u20ac\te") != std::string::npos);
}

TEST_CASE("timeline: several runs are drawn one below the other") {
    const std::string one = svg({everyKind()});
    const std::string two = svg({everyKind(), everyKind()});
    CHECK(count(two, "SIGTERM at 0.30 s") == 2 * count(one, "SIGTERM at 0.30 s"));
}

TEST_CASE("timeline: runs to be compared have one scale") {
    std::vector<Timeline> runs{everyKind(), everyKind()};
    runs[1].marks.push_back({3, "exit"});
    drawToOneScale(runs);
    const std::string picture = svg(runs);
    CHECK(count(picture, ">3.0 s<") == 2);
    CHECK(runs[0].end() == runs[1].end());
}

TEST_CASE("timeline: an empty run can be drawn") {
    CHECK(svg({Timeline{"nothing"}}).find("nothing") != std::string::npos);
    CHECK(svg({}).find("</svg>") != std::string::npos);
}

TEST_CASE("timeline: the sentence tells what became of the requests and when") {
    CHECK(sentence(everyKind()) == "a <title> & more: requests: 1 served, 1 told 503, 1 refused, 1 cut, 1 lost; "
                                   "stop work: done, background work: 20 lost; "
                                   "SIGTERM at 0.30 s, readiness off at 0.31 s, exit at 1.00 s.");
}
