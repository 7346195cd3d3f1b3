#include "catch.h"
#include "temp_dir.h"

#include <fstream>
#include <iterator>

TEST_CASE("support: a temporary directory is gone with all its files at the end of the scope") {
    std::filesystem::path path;
    {
        const lifecycle::test::TempDir directory;
        path = directory.path();
        const auto file = directory.write("a/b.txt", "text");
        std::ifstream stream(file);
        CHECK(std::string(std::istreambuf_iterator<char>(stream), {}) == "text");
    }
    CHECK_FALSE(std::filesystem::exists(path));
}
