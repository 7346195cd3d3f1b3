#include "catch.h"
#include "xml_text.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& file) {
    std::ifstream in(file);
    if (!in) {
        throw std::runtime_error("cannot read " + file.string());
    }
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> stages() {
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(PROJECT_DIR)) {
        if (std::regex_match(entry.path().filename().string(), std::regex("[0-9][0-9]_.*"))) {
            folders.push_back(entry.path());
        }
    }
    std::sort(folders.begin(), folders.end());
    return folders;
}

/// The sentence that an SVG has as its title, as XML.
std::string titleOf(const std::string& svg) {
    const auto begin = svg.find("<title>") + 7;
    return svg.substr(begin, svg.find("</title>") - begin);
}

struct Picture {
    std::string alt;
    std::string file;
};

/// The SVGs that a README shows.
std::vector<Picture> picturesIn(const std::string& readme) {
    static const std::regex image(R"(!\[([^\]]*)\]\(([^)]*\.svg)\))");
    std::vector<Picture> pictures;
    for (std::sregex_iterator at(readme.begin(), readme.end(), image), end; at != end; ++at) {
        pictures.push_back({(*at)[1], (*at)[2]});
    }
    return pictures;
}

/// Anything may stand before the sentence of the picture: what to look at.
bool tells(const Picture& picture, const std::string& title) {
    return !title.empty() && lifecycle::test::toXml(picture.alt).ends_with(title);
}

} // namespace

TEST_CASE("readme: each stage shows the timeline of its story") {
    REQUIRE(stages().size() >= 6);
    for (const fs::path& stage : stages()) {
        const auto pictures = picturesIn(read(stage / "README.md"));
        CAPTURE(stage.string());
        CHECK(std::any_of(pictures.begin(), pictures.end(),
                          [](const Picture& one) { return one.file == "timeline.svg"; }));
    }
}

TEST_CASE("readme: the alt text of a picture is what its title says") {
    std::vector<fs::path> folders = stages();
    folders.push_back(PROJECT_DIR);
    for (const fs::path& folder : folders) {
        for (const Picture& picture : picturesIn(read(folder / "README.md"))) {
            const std::string title = titleOf(read(folder / picture.file));
            CAPTURE(folder.string(), picture.file, picture.alt, title);
            CHECK(tells(picture, title));
        }
    }
}

TEST_CASE("readme: the pictures with and without graceful shutdown have one time scale") {
    const auto scaleOf = [](const std::string& svg) {
        static const std::regex tick(R"(<text x="[^"]*" y="[^"]*" text-anchor="middle" class="small">([^<]* s)<)");
        std::set<std::string> ticks; // with where they are
        for (std::sregex_iterator at(svg.begin(), svg.end(), tick), end; at != end; ++at) {
            const std::string text = at->str();
            ticks.insert(text.substr(0, text.find(" y=")) + (*at)[1].str());
        }
        return ticks;
    };
    const fs::path stage = fs::path(PROJECT_DIR) / "03_http_shutdown";
    const auto with = scaleOf(read(stage / "with.svg"));
    CHECK(with.size() > 3);
    CHECK(with == scaleOf(read(stage / "without.svg")));
    CHECK(with != scaleOf(read(stage / "timeline.svg")));
}

TEST_CASE("readme: a picture has a dark variant, and shows what the README says of it") {
    for (const fs::path& stage : stages()) {
        for (const Picture& picture : picturesIn(read(stage / "README.md"))) {
            CAPTURE(stage.string(), picture.file);
            CHECK(read(stage / picture.file).find("prefers-color-scheme: dark") != std::string::npos);
        }
    }
    const auto titleOfStage = [](const std::string& stage) {
        return titleOf(read(fs::path(PROJECT_DIR) / stage / "timeline.svg"));
    };
    CHECK(titleOfStage("01_signals").find("SIGKILL at") != std::string::npos);
    CHECK(titleOfStage("02_timeout").find("stop work: done; ") != std::string::npos);
    CHECK(titleOfStage("02_timeout").find("stop work: cut; ") != std::string::npos);
    CHECK(titleOfStage("06_docker").find("background work: 20 done; ") != std::string::npos);
    CHECK(titleOfStage("06_docker").find("background work: 20 lost; ") != std::string::npos);
}

TEST_CASE("readme: an alt text of another run is noticed") {
    const auto pictures = picturesIn("text\n![Two runs. a > b: exit 0 at 0.51 s.](timeline.svg)\n![](other.png)\n");
    REQUIRE(pictures.size() == 1);
    CHECK(tells(pictures[0], titleOf("<svg><title>a &gt; b: exit 0 at 0.51 s.</title></svg>")));
    CHECK_FALSE(tells(pictures[0], titleOf("<svg><title>a &gt; b: exit 0 at 0.52 s.</title></svg>")));
}
