#include "scoreboard.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <sstream>
#include <stdexcept>

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include "contestant.h"
#include "peers.h"
#include "process.h"
#include "running_server.h"
#include "temp_dir.h"

namespace lifecycle::bench {
namespace {

using namespace std::chrono_literals;

Score rehearse(const Peer& peer, const std::filesystem::path& folder) {
    const std::string json = folder / "result.json";
    std::filesystem::remove(json);
    std::vector<std::string> command{DRAIN_CHECK, "--json", json};
    command.insert(command.end(), peer.options.begin(), peer.options.end());
    command.emplace_back("--");
    command.insert(command.end(), peer.command.begin(), peer.command.end());
    const test::Process process(command);
    process.waitForExit(10min);

    std::ifstream file(json);
    if (!file) {
        throw std::runtime_error("drain_check says nothing about " + peer.name + "\n" + process.log());
    }
    Poco::JSON::Parser parser;
    const auto scenarios = parser.parse(file).extract<Poco::JSON::Object::Ptr>()->getArray("scenarios");
    Score score{peer.name, peer.ours};
    for (std::size_t i = 0; i < scenarios->size(); ++i) {
        const auto one = scenarios->getObject(static_cast<unsigned>(i));
        const auto name = one->getValue<std::string>("name");
        score.scenarios.push_back(name);
        score.cells[name] = {one->getValue<std::string>("result"), one->getValue<std::string>("figure"),
                             one->getValue<std::string>("remark")};
    }
    return score;
}

std::string failures(const Score& score) {
    std::string text;
    for (const std::string& name : score.scenarios) {
        const Score::Cell& cell = score.cells.at(name);
        if (cell.result == "fail") {
            text += (text.empty() ? "" : ", ") + name + " (" + cell.figure + ")";
        }
    }
    return text.empty() ? "nothing" : text;
}

std::string shown(const Score::Cell& cell) {
    return cell.result == "n/a" ? "–" : (cell.result == "pass" ? "✓ " : "**✗** ") + cell.figure;
}

/// One table with a column for each of these servers.
void writeTable(std::ostream& out, const std::vector<const Score*>& scores) {
    if (scores.empty()) {
        return;
    }
    out << "\n| scenario |";
    for (const Score* score : scores) {
        out << ' ' << score->server << " |";
    }
    out << "\n| --- |";
    for (std::size_t i = 0; i < scores.size(); ++i) {
        out << " --- |";
    }
    out << '\n';
    for (const std::string& name : scores.front()->scenarios) {
        out << "| " << name << " |";
        for (const Score* score : scores) {
            out << ' ' << shown(score->cells.at(name)) << " |";
        }
        out << '\n';
    }
}

std::vector<const Score*> chosen(const Scoreboard& board, bool ours) {
    std::vector<const Score*> scores;
    for (const Score& score : board.scores) {
        if (score.ours == ours) {
            scores.push_back(&score);
        }
    }
    return scores;
}

}  // namespace

int Score::count(const std::string& result) const {
    return static_cast<int>(std::count_if(cells.begin(), cells.end(),
                                          [&](const auto& cell) { return cell.second.result == result; }));
}

Scoreboard rehearseAll(std::ostream& progress) {
    const test::TempDir folder;
    std::filesystem::permissions(folder.path(), std::filesystem::perms::all);  // nginx's workers are nobody
    const RunningServer backend({"library", {LIBRARY_SERVER}});
    const Peers peers = availablePeers(folder.path(), backend.port());
    Scoreboard board{{}, peers.leftOut};
    for (const Peer& peer : peers.all) {
        board.scores.push_back(rehearse(peer, folder.path()));
        const Score& score = board.scores.back();
        progress << "  " << score.server << ": " << score.count("pass") << " passed, " << score.count("fail")
                 << " failed, " << score.count("n/a") << " not applicable; fails " << failures(score) << '\n'
                 << std::flush;
    }
    return board;
}

std::string markdown(const Scoreboard& board) {
    std::ostringstream out;
    out << "| server | passes | fails |\n| --- | --- | --- |\n";
    for (const Score& score : board.scores) {
        const int passed = score.count("pass");
        out << "| " << score.server << " | " << passed << " of " << passed + score.count("fail") << " | "
            << failures(score) << " |\n";
    }
    for (const std::string& note : board.notes) {
        out << "\n(" << note << ")\n";
    }
    out << "\n<details><summary>All figures</summary>\n";
    writeTable(out, chosen(board, true));
    writeTable(out, chosen(board, false));
    out << "\n</details>\n";
    return out.str();
}

void replaceSection(const std::string& file, const std::string& name, const std::string& content) {
    std::ifstream in(file);
    std::string text(std::istreambuf_iterator<char>(in), {});
    const auto mark = text.find("<!-- " + name + ":");
    const auto begin = text.find('\n', mark) + 1;
    const auto end = text.find("<!-- " + name + " end -->");
    if (mark == std::string::npos || end == std::string::npos || end < begin) {
        throw std::runtime_error(file + " has no section " + name);
    }
    text.replace(begin, end - begin, content);
    std::ofstream out(file);
    out << text;
    if (!out.flush()) {
        throw std::runtime_error("cannot write " + file);
    }
}

}  // namespace lifecycle::bench
