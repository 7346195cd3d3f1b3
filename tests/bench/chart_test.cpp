#include "catch.h"

#include <string>

#include "chart.h"

using namespace lifecycle::bench;

namespace {

Chart growing() {
    Chart chart{"name", "Time, against <clients>", "ms"};
    Sample ten, thousand;
    ten.add(10);
    thousand.add(1000);
    chart.curves.push_back({"ours", {{1, ten}, {100, thousand}}});
    chart.notes.push_back("HAProxy with 10 clients is left out: it did not end & so on");
    return chart;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("bench: a chart says what was left out, and why") {
    const std::string picture = svg({growing()});
    CHECK(has(picture, ">HAProxy with 10 clients is left out: it did not end &amp; so on</text>"));
    CHECK(has(picture, "Time, against &lt;clients&gt;"));
}

TEST_CASE("bench: the axes of a chart are labelled with plain numbers") {
    const std::string picture = svg({growing()});
    CHECK(has(picture, ">1000</text>"));
    CHECK_FALSE(has(picture, "e+03"));
}

TEST_CASE("bench: a long note of a chart is wrapped") {
    Chart chart = growing();
    chart.notes = {std::string(80, 'a') + " " + std::string(80, 'b')};
    CHECK(has(svg({chart}), std::string(80, 'a') + "</text>"));
}

TEST_CASE("bench: a chart of nothing is no error") {
    CHECK(has(svg({Chart{"name", "Title", "ms"}}), "</svg>"));
}

TEST_CASE("bench: a chart follows the colours that its viewer prefers") {
    const std::string picture = svg({growing()});
    const auto end = picture.find("</style>");
    CHECK(picture.find("prefers-color-scheme: dark") < end);
    CHECK(picture.find('#', end) == std::string::npos); // all of its colours are in the style
    CHECK(picture.find("class=\"line0\"", end) != std::string::npos);
}
