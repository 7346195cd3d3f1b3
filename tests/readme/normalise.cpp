#include "normalise.h"

#include <regex>
#include <vector>

namespace lifecycle::readme {

namespace {

struct Rule {
    std::regex pattern;
    const char* replacement;
};

const std::vector<Rule>& rules() {
    static const std::vector<Rule> table = [] {
        std::vector<Rule> result;
        const auto add = [&](const char* pattern, const char* replacement) {
            result.push_back({std::regex(pattern, std::regex::optimize), replacement});
        };
        // The time of an event line: +12.345s
        add(R"(^\+\d+\.\d+s )", "+<time> ");
        // Process and user ids: pid=4711 sender_pid=4711 sender_uid=1000 parent_pid=4711
        add(R"(\b(\w*pid|\w*uid)=\d+)", "$1=<id>");
        // Durations that were measured: took=1.2ms age=300ms remaining=9.7s
        add(R"(\b(took|age|remaining|elapsed|waited|late|spawn|ready|drain)=[0-9][0-9.a-zµ]*)", "$1=<duration>");
        // The port of a client, and a free port that was asked for with --port 0: five digits,
        // where a server's port in a README has four
        add(R"((127\.0\.0\.1|localhost|\[::1\]):\d{5}\b)", "$1:<port>");
        add(R"(\bport=\d{5}\b)", "port=<port>");
        // Dates: Fri, 21 Nov 2025 02:24:05 GMT, 2025-11-21, 02:24:05
        add(R"((Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4})", "<date>");
        add(R"(\b\d{4}-\d\d-\d\d(T)?)", "<date>$1");
        add(R"(\d\d:\d\d:\d\d(\.\d+)?)", "<time>");
        // bash: a job has started, `[1] 4711`, and what `time` says
        add(R"(^\[(\d+)\] \d+$)", "[$1] <id>");
        add(R"(^(real|user|sys)\s+\d+m[0-9.,]+s$)", "$1 <duration>");
        // curl: Failed to connect to 127.0.0.1 port 8080 after 0 ms
        add(R"( after \d+ ms)", " after <duration>");
        return result;
    }();
    return table;
}

} // namespace

std::string normalise(const std::string& line) {
    std::string result = line;
    for (const Rule& rule : rules()) {
        result = std::regex_replace(result, rule.pattern, rule.replacement);
    }
    result.erase(result.find_last_not_of(" \t") + 1);
    return result;
}

} // namespace lifecycle::readme
