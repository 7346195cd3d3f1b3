#include "in_order.h"

#include <algorithm>
#include <utility>

namespace lifecycle::readme {

InOrder::InOrder(const ExpectedLines& steps) {
    for (const auto& lines : steps) {
        lines_.insert(lines_.end(), lines.begin(), lines.end());
        ends_.push_back(lines_.size());
    }
    add(positions_, 0);
}

bool InOrder::accept(const ComparedLine& printed) {
    std::set<std::size_t> next;
    for (const std::size_t position : positions_) {
        if (position == lines_.size()) {
            continue;
        }
        if (standsForAnyLines(lines_[position].shown)) {
            add(next, position);
        } else if (fits(lines_[position].shown, printed)) {
            add(next, position + 1);
        }
    }
    if (next.empty()) {
        return false;
    }
    positions_ = std::move(next);
    return true;
}

bool InOrder::reached(std::size_t step) const {
    return *positions_.rbegin() >= ends_.at(step);
}

void InOrder::finish(std::size_t step) {
    positions_.erase(positions_.begin(), positions_.lower_bound(ends_.at(step)));
}

std::vector<ExpectedLine> InOrder::missing(std::size_t step) const {
    const auto end = ends_.at(step);
    const auto begin = std::min(*positions_.rbegin(), end);
    return {lines_.begin() + static_cast<std::ptrdiff_t>(begin),
            lines_.begin() + static_cast<std::ptrdiff_t>(end)};
}

/// A place in front of `[...]` is also one behind it: it may stand for no line at all.
void InOrder::add(std::set<std::size_t>& positions, std::size_t position) const {
    positions.insert(position);
    while (position < lines_.size() && standsForAnyLines(lines_[position].shown)) {
        positions.insert(++position);
    }
}

} // namespace lifecycle::readme
