#include "json.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

namespace lifecycle::check {

void writeJson(std::ostream& out, const std::vector<std::string>& command,
               const std::vector<ScenarioVerdict>& verdicts) {
    Poco::JSON::Array words;
    for (const std::string& word : command) {
        words.add(word);
    }
    Poco::JSON::Array scenarios;
    int failed = 0;
    for (const auto& [scenario, verdict] : verdicts) {
        Poco::JSON::Object one(Poco::JSON_PRESERVE_KEY_ORDER);
        one.set("name", scenario->name);
        one.set("result", toString(verdict.result));
        one.set("figure", verdict.figure);
        one.set("remark", verdict.remark);
        scenarios.add(one);
        failed += verdict.result == Verdict::Result::fail ? 1 : 0;
    }
    Poco::JSON::Object all(Poco::JSON_PRESERVE_KEY_ORDER);
    all.set("command", words);
    all.set("failed", failed);
    all.set("scenarios", scenarios);
    all.stringify(out, 2);
    out << '\n';
}

}  // namespace lifecycle::check
