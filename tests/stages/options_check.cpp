#include "options_check.h"

#include "catch.h"
#include "process.h"
#include "stage.h"

namespace lifecycle::test {

using namespace std::chrono_literals;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

void checkRefused(const std::vector<std::string>& command, const std::vector<std::string>& parts) {
    const Process process(command);
    CHECK(process.waitForExit(10s).code == 64);
    CHECK(process.standardOutput().empty());
    const auto lines = process.standardError();
    REQUIRE(lines.size() == 1);
    for (const std::string& part : parts) {
        CAPTURE(lines[0].text, part);
        CHECK(contains(lines[0].text, part));
    }
}

void checkCommonOptions(const std::string& stageName, const std::vector<std::string>& options) {
    const Process help(stage(stageName, {"--help"}));
    CHECK(help.waitForExit(10s).code == 0);
    CHECK(help.standardError().empty());
    for (const std::string& option : options) {
        CAPTURE(option);
        CHECK(contains(help.standardOutput(), "  " + option + " "));
    }

    const Process version(stage(stageName, {"--version"}));
    CHECK(version.waitForExit(10s).code == 0);
    CHECK(version.standardOutput().rfind(stageName + " ", 0) == 0);

    std::vector<std::string> names;
    for (const std::string& option : options) {
        names.push_back(option.substr(0, option.find(' ')));
    }
    for (const std::string unknown : {"--unheard-of=1", "stray"}) {
        std::vector<std::string> parts = names;
        parts.push_back(unknown.substr(0, unknown.find('=')));
        checkRefused(stage(stageName, {unknown}), parts);
    }
}

void checkDurationOption(const std::string& stageName, const std::string& option) {
    CAPTURE(option);
    const Process accepted(stage(stageName, {option, "2m30.5s", "--version"}));
    CHECK(accepted.waitForExit(10s).code == 0);
    checkRefused(stage(stageName, {option + "=5"}), {option, "300ms"});
}

} // namespace lifecycle::test
