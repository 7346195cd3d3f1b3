#include "catch.h"
#include "process.h"
#include "temp_dir.h"
#include "skip.h"

#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

bool systemdIsMissing() {
    try {
        Process({"systemd-analyze", "--version"}).waitForExit(60s);
        return false;
    } catch (const std::system_error&) {
        skip("systemd-analyze is not installed");
        return true;
    }
}

/// The unit file of this stage, for the program as it was built.
std::string unitFile() {
    std::ostringstream text;
    text << std::ifstream(SERVICE_UNIT).rdbuf();
    std::string unit = text.str();
    const std::string installed = "/usr/local/bin/";
    REQUIRE(unit.find(installed) != std::string::npos);
    for (std::size_t at = unit.find(installed); at != std::string::npos; at = unit.find(installed)) {
        unit.replace(at, installed.size(), STAGE_BIN_DIR "/");
    }
    return unit;
}

/// What systemd says about a unit file. It may have more to say about other units of the machine.
std::vector<std::string> complaints(const std::string& unit) {
    const TempDir directory;
    const std::string name = directory.write("hot_restart.service", unit);
    const Process verify({"systemd-analyze", "verify", "--man=no", name});
    verify.waitForExit(60s);
    std::vector<std::string> lines;
    for (const CapturedLine& line : verify.standardError()) {
        if (line.text.find("hot_restart") != std::string::npos) {
            lines.push_back(line.text);
        }
    }
    return lines;
}

std::string withReplaced(std::string text, const std::string& part, const std::string& other) {
    REQUIRE(text.find(part) != std::string::npos);
    return text.replace(text.find(part), part.size(), other);
}

} // namespace

TEST_CASE("05: systemd has nothing to say against the unit file") {
    if (systemdIsMissing()) {
        return;
    }
    const std::string unit = unitFile();
    CHECK(complaints(unit) == std::vector<std::string>{});

    // It would: for a misspelt key, a value that it does not know, and a program that is not there.
    CHECK(complaints(withReplaced(unit, "\nType=", "\nTyp=")).size() == 1);
    CHECK(complaints(withReplaced(unit, "KillMode=mixed", "KillMode=mixt")).size() == 1);
    CHECK(complaints(withReplaced(unit, "/05_hot_restart", "/05_hot_restart_of_old")).size() == 1);
}
