// bench: measures what the READMEs promise, each figure beside its baseline in the same run.
//
// Runs alternate (A B A B), so that both meet the same machine, and medians are shown. Servers are
// real processes on loopback; all of this happens on one machine, which should have nothing else
// to do meanwhile.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <set>
#include <thread>

#include <Poco/Environment.h>

#include "chart.h"
#include "entries.h"
#include "growth.h"
#include "idle_connections.h"
#include "lifecycle/exit_code.h"
#include "lifecycle/options.h"
#include "report.h"
#include "scoreboard.h"

using namespace lifecycle::bench;

namespace {

void describeMachine(std::ostream& out) {
    out << std::thread::hardware_concurrency() << " processors, Poco "
        << (Poco::Environment::libraryVersion() >> 24) << '.'
        << (Poco::Environment::libraryVersion() >> 16 & 255) << '\n';
    std::array<double, 1> load{};
    if (::getloadavg(load.data(), 1) == 1 && load[0] > 0.5) {
        out << "Other programs are running (load " << load[0]
            << "): the figures will be worse and vary more.\n";
    }
    out << '\n';
}

/// A figure that cannot be measured must not take the others with it.
Figure measure(const Entry& entry, const Effort& effort) try {
    return entry.measure(effort);
} catch (const std::exception& error) {
    return {.name = entry.name,
            .meaning = "could not be measured",
            .notes = {error.what()},
            .failed = true};
}

}  // namespace

int main(int argc, char** argv) {
    std::set<std::string> only = parseNames(allNames());
    std::string json;
    Effort effort;
    bool strict = false;
    std::string readme = README;
    std::string growth;
    lifecycle::Options options("bench", "measures what the READMEs promise");
    options.value("only", "NAME,…", allNames(), "which figures",
                  [&only](const std::string& list) { only = parseNames(list); });
    options.flag("peers", effort.peers, "with Boost.Beast, cpp-httplib, nginx and HAProxy; and the scoreboard of drain_check, into --readme");
    options.text("readme", readme, "file with the section for the scoreboard");
    options.text("growth", growth, "SVG file to draw to how cost grows with the number of clients");
    options.text("json", json, "file to write the figures to as well");
    options.flag("quick", effort.quick, "few and short runs: to see that it works, not to quote");
    options.flag("strict", strict, "exit with 1 if a target is missed");
    if (const auto exitCode = options.parse(argc, argv)) {
        return *exitCode;
    }

    raiseDescriptorLimit();
    describeMachine(std::cout);
    printHeader(std::cout);
    std::vector<Figure> figures;
    for (const Entry& entry : allEntries()) {
        if (only.contains(entry.name)) {
            figures.push_back(measure(entry, effort));
            print(std::cout, figures.back());
        }
    }
    if (!growth.empty()) {
        const auto charts = measureGrowth(effort);
        for (const Chart& chart : charts) {
            figures.push_back(asFigure(chart));
            print(std::cout, figures.back());
        }
        std::ofstream(growth) << svg(charts);
    }
    const int missed = countMissed(figures);
    std::cout << "\nTargets missed: " << missed << '\n';
    Scoreboard board;
    if (effort.peers) {
        std::cout << "\nThe shutdown of each server, rehearsed:\n";
        board = rehearseAll(std::cout);
        replaceSection(readme, "scoreboard", markdown(board));
    }

    if (!json.empty()) {
        std::ofstream file(json);
        writeJson(file, figures, board);
        if (!file.flush()) {
            std::fprintf(stderr, "bench: cannot write %s\n", json.c_str());
            return 1;
        }
    }
    return strict && missed > 0 ? 1 : 0;
}
