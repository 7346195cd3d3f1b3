#include "json.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

namespace lifecycle::check {

void writeJson(std::ostream& out, const std::vector<std::string>& command, const std::vector<Outcome>& outcomes) {
    Poco::JSON::Array words;
    for (const std::string& word : command) {
        words.add(word);
    }
    Poco::JSON::Array scenarios;
    int failed = 0;
    for (const Outcome& outcome : outcomes) {
        Poco::JSON::Object one(Poco::JSON_PRESERVE_KEY_ORDER);
        one.set("name", outcome.scenario->name);
        one.set("result", toString(outcome.verdict.result));
        one.set("figure", outcome.verdict.figure);
        one.set("remark", outcome.verdict.remark);
        scenarios.add(one);
        failed += outcome.verdict.result == Verdict::Result::fail ? 1 : 0;
    }
    Poco::JSON::Object all(Poco::JSON_PRESERVE_KEY_ORDER);
    all.set("command", words);
    all.set("failed", failed);
    all.set("scenarios", scenarios);
    all.stringify(out, 2);
    out << '\n';
}

}  // namespace lifecycle::check
