// The table of states that a reader of the code follows.

#include "catch.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
    std::ifstream file(path);
    REQUIRE(file.is_open());
    return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> wordsIn(const fs::path& folder) {
    static const std::regex word("[A-Za-z_]+");
    std::set<std::string> words;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().extension() == ".cpp" || entry.path().extension() == ".h") {
            const std::string text = content(entry.path());
            for (std::sregex_iterator at(text.begin(), text.end(), word), end; at != end; ++at) {
                words.insert(at->str());
            }
        }
    }
    return words;
}

} // namespace

TEST_CASE("05: each name in the table of states is one of the code") {
    std::set<std::string> known = wordsIn(PROJECT_DIR "/05_hot_restart");
    known.merge(wordsIn(PROJECT_DIR "/common/handover"));
    const std::string text = content(PROJECT_DIR "/05_hot_restart/states.md");
    static const std::regex name("`([A-Za-z]+)(\\(\\))?`");
    std::size_t names = 0;
    for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at, ++names) {
        CAPTURE((*at)[1].str());
        CHECK(known.contains((*at)[1].str()));
    }
    CHECK(names > 50);
}
