#include "checked.h"

#include <filesystem>
#include <fstream>

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include "process.h"
#include "temp_dir.h"
#include "time_limit.h"

namespace lifecycle::check {

using namespace std::chrono_literals;

Checked runCheck(std::vector<std::string> options, const std::vector<std::string>& command) {
    const test::TempDir folder;
    const std::string json = folder.path() / "result.json";
    std::vector<std::string> argv{DRAIN_CHECK, "--json", json};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.emplace_back("--");
    argv.insert(argv.end(), command.begin(), command.end());

    const test::Process process(argv);
    Checked checked;
    checked.code = process.waitForExit(150s).code;
    checked.output = process.standardOutput();
    for (const auto& line : process.standardError()) {
        checked.errors += line.text + "\n";
    }
    if (std::ifstream file(json); file) {
        Poco::JSON::Parser parser;
        const auto all = parser.parse(file).extract<Poco::JSON::Object::Ptr>()->getArray("scenarios");
        for (std::size_t i = 0; i < all->size(); ++i) {
            const auto one = all->getObject(static_cast<unsigned>(i));
            checked.scenarios[one->getValue<std::string>("name")] = {one->getValue<std::string>("result"),
                                                                     one->getValue<std::string>("figure"),
                                                                     one->getValue<std::string>("remark")};
        }
    }
    return checked;
}

Checked::Line carelessIn(const std::string& fault, const std::string& scenario) {
    const std::string limit = test::slowdown == 1 ? "500ms" : "800ms";  // still below the second of the deadline
    const Checked checked =
        runCheck({"--only", scenario, "--path", "/?work={ms}", "--timeout=1s", "--exit-limit", limit,
                  "--idle-limit", limit, "--refusal-limit=500ms", "--force-limit=300ms", "--cpu-limit=10"},
                 {CARELESS_SERVER, fault, "{port}"});
    return checked.scenarios.count(scenario) != 0 ? checked.of(scenario) : Checked::Line{"none", "", checked.errors};
}

}  // namespace lifecycle::check
