#include "catch.h"
#include "text.h"

#include <sstream>

using namespace lifecycle::timeline;

TEST_CASE("timeline: the text form shows outcomes by letters and fits a terminal") {
    const Timeline run{"with stopall",
                       {{"client 1", {{0, 1, Kind::served, "200"}}}, {"client 2", {{0, 2, Kind::lost, "reset"}}}},
                       {{0.5, "SIGTERM"}, {2, "exit"}}};
    const std::string picture = text(run);
    CAPTURE(picture);
    CHECK(picture.find("client 1          =====") != std::string::npos);
    CHECK(picture.find("client 2          xxxxx") != std::string::npos);
    CHECK(picture.find("^ SIGTERM") != std::string::npos);
    CHECK(picture.find("= served, x lost") != std::string::npos);
    std::istringstream lines(picture);
    for (std::string line; std::getline(lines, line);) {
        CHECK(line.size() < 80);
    }
}

TEST_CASE("timeline: the text form of nothing is no error") {
    CHECK(text({}).find("0 s") != std::string::npos);
}
