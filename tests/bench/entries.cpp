#include "entries.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "figures.h"

namespace lifecycle::bench {

const std::vector<Entry>& allEntries() {
    static const std::vector<Entry> entries{
    {"idle_exit", idleExit},
    {"exit_after_response", exitAfterResponse},
    {"exit_200_idle", exitWith200Idle},
    {"exit_1000_idle", exitWith1000Idle},
    {"memory_1000_idle", memoryWith1000Idle},
    {"throughput_keepalive", keepAliveThroughput},
    {"throughput_close", closeThroughput},
    {"gate", gateCost},
    {"gate_contended", contendedGateCost},
    {"filters", filterCost},
    {"hooks", hookRun},
    {"orders", orderStorage},
    {"lost_requests", lostRequests},
    {"restart", restarts},
    {"spawn", spawnCost},
    };
    return entries;
}

std::string allNames() {
    std::string names;
    for (const Entry& entry : allEntries()) {
        names += (names.empty() ? "" : ",") + std::string(entry.name);
    }
    return names;
}

std::set<std::string> parseNames(const std::string& list) {
    std::set<std::string> names;
    if (list == "none") {
        return names;
    }
    std::istringstream stream(list);
    for (std::string name; std::getline(stream, name, ',');) {
        const auto& all = allEntries();
        if (std::none_of(all.begin(), all.end(), [&name](const Entry& entry) { return entry.name == name; })) {
            throw std::invalid_argument("'" + name + "' is none of " + allNames());
        }
        names.insert(name);
    }
    return names;
}

}  // namespace lifecycle::bench
