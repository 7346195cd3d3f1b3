#include "in_any_order.h"

#include <algorithm>
#include <utility>

namespace lifecycle::readme {

InAnyOrder::InAnyOrder(const ExpectedLines& steps) {
    for (const auto& lines : steps) {
        Group group;
        for (const ExpectedLine& line : lines) {
            if (standsForAnyLines(line.shown)) {
                group.takesOthers = true;
            } else {
                group.lines.push_back(line);
            }
        }
        group.printed.resize(group.lines.size());
        groups_.push_back(std::move(group));
    }
}

bool InAnyOrder::accept(const ComparedLine& printed) {
    for (std::size_t step = current_; step < groups_.size(); ++step) {
        if (groups_[step].accept(printed)) {
            current_ = step;
            return true;
        }
        if (!groups_[step].missing().empty()) {
            return false;
        }
    }
    return false;
}

bool InAnyOrder::reached(std::size_t step) const {
    return missing(step).empty();
}

void InAnyOrder::finish(std::size_t step) {
    current_ = std::max(current_, step + 1);
}

std::vector<ExpectedLine> InAnyOrder::missing(std::size_t step) const {
    std::vector<ExpectedLine> result;
    for (std::size_t i = current_; i <= step; ++i) {
        const auto lines = groups_[i].missing();
        result.insert(result.end(), lines.begin(), lines.end());
    }
    return result;
}

bool InAnyOrder::Group::accept(const ComparedLine& line) {
    std::vector<bool> visited(lines.size(), false);
    return place(line, visited) || takesOthers;
}

/// Finds a place beside a line of the README, moving what is there to where it fits as well.
bool InAnyOrder::Group::place(const ComparedLine& line, std::vector<bool>& visited) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (visited[i] || !fits(lines[i].shown, line)) {
            continue;
        }
        visited[i] = true;
        if (!printed[i] || place(*printed[i], visited)) {
            printed[i] = line;
            return true;
        }
    }
    return false;
}

std::vector<ExpectedLine> InAnyOrder::Group::missing() const {
    std::vector<ExpectedLine> result;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (!printed[i]) {
            result.push_back(lines[i]);
        }
    }
    return result;
}

} // namespace lifecycle::readme
