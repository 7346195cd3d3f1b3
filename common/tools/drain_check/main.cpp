// drain_check: rehearses the shutdown of a server, any server. Each scenario starts the command
// afresh, plays clients, sends the signal, and looks at what the clients went through.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <vector>

#include <sys/resource.h>

#include "interruption.h"
#include "json.h"
#include "lifecycle/error_line.h"
#include "lifecycle/exit_code.h"
#include "run.h"
#include "settings.h"
#include "svg.h"
#include "table.h"
#include "watchdog.h"

using namespace lifecycle::check;

namespace {

/// Hundreds of clients need a descriptor each. The command inherits the higher limit.
void raiseDescriptorLimit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

template <class Write>
bool writeFile(const std::string& name, const Write& write) {
    if (name.empty()) {
        return true;
    }
    std::ofstream file(name);
    write(file);
    if (file.flush()) {
        return true;
    }
    std::fprintf(stderr, "drain_check: cannot write %s\n", name.c_str());
    return false;
}

int rehearse(const Settings& settings) {
    const Traits traits = probe(settings);
    printHeader(std::cout);
    std::vector<ScenarioVerdict> verdicts;
    std::vector<lifecycle::timeline::Timeline> timelines;
    for (const Scenario& scenario : allScenarios()) {
        if (!settings.only.empty() && !settings.only.contains(scenario.name)) {
            continue;
        }
        Rehearsal rehearsal(settings, traits);
        verdicts.push_back({&scenario, run(scenario, rehearsal)});
        const Verdict& verdict = verdicts.back().verdict;
        print(std::cout, scenario, verdict);
        if (verdict.result != Verdict::Result::notApplicable) {
            const std::string title = scenario.name + ": " + verdict.figure;
            timelines.push_back(
                rehearsal.recording().timeline(settings.timelineTitle.empty() ? title : settings.timelineTitle));
            timelines.back().until = std::chrono::duration<double>(settings.timelineUntil).count();
        }
    }

    const auto count = [&](Verdict::Result result) {
        return std::count_if(verdicts.begin(), verdicts.end(),
                             [result](const ScenarioVerdict& one) { return one.verdict.result == result; });
    };
    const auto failed = count(Verdict::Result::fail);
    std::cout << '\n' << count(Verdict::Result::pass) << " passed, " << failed << " failed, "
              << count(Verdict::Result::notApplicable) << " not applicable\n";

    const bool written =
        writeFile(settings.json, [&](std::ostream& out) { writeJson(out, settings.command, verdicts); }) &&
        writeFile(settings.timeline, [&](std::ostream& out) { out << lifecycle::timeline::svg(timelines); });
    return written && failed == 0 ? lifecycle::exitClean : 1;
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    if (const auto exitCode = settings.parse(argc, argv)) {
        return *exitCode;
    }
    if (settings.list) {
        printScenarios(std::cout);
        return lifecycle::exitClean;
    }
    try {
        startWatchdog();
        const Interruption interruption;
        raiseDescriptorLimit();
        return rehearse(settings);
    } catch (const std::exception& error) {  // there is no such program, it does not listen or answer
        lifecycle::printError("drain_check", error.what());
        return lifecycle::exitUnavailable;
    }
}
