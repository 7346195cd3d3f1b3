#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

namespace lifecycle::bench {

/// How one server did in drain_check.
struct Score {
    struct Cell {
        std::string result;  ///< "pass", "fail" or "n/a"
        std::string figure;
        std::string remark;
    };

    std::string server;
    bool ours = false;
    std::vector<std::string> scenarios{};  ///< in the order of the tool
    std::map<std::string, Cell> cells{};

    int count(const std::string& result) const;
};

struct Scoreboard {
    std::vector<Score> scores{};
    std::vector<std::string> notes{};
};

/// Rehearses every server that is there; a line for each to `progress`. Takes minutes. Throws
/// std::runtime_error if drain_check itself fails.
Scoreboard rehearseAll(std::ostream& progress);

/// For a README: a line for each server, and folded away all figures.
std::string markdown(const Scoreboard& board);

/// Replaces what stands between `<!-- NAME: … -->` and `<!-- NAME end -->` in a file. Throws
/// std::runtime_error if the marks are not there or the file cannot be written.
void replaceSection(const std::string& file, const std::string& name, const std::string& content);

}  // namespace lifecycle::bench
