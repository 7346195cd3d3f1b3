#include "alignment.h"

#include <algorithm>
#include <limits>

namespace lifecycle::readme {

namespace {

/// Edit distance by dynamic programming over the places (i, j): i lines of the README and j printed
/// ones are dealt with. `cost(i, j)` is the least cost of what is left from there.
class OrderedAlignment {
public:
    OrderedAlignment(const std::vector<ExpectedLine>& shown,
                     const std::vector<PrintedLine>& printed)
        : shown_(shown), printed_(printed), costs_((shown.size() + 1) * (printed.size() + 1)) {
        for (std::size_t i = shown.size() + 1; i-- > 0;) {
            for (std::size_t j = printed.size() + 1; j-- > 0;) {
                cost(i, j) = best(i, j).cost;
            }
        }
    }

    std::vector<AlignedRow> rows() {
        std::vector<AlignedRow> result;
        std::size_t i = 0;
        std::size_t j = 0;
        while (i < shown_.size() || j < printed_.size()) {
            const Move move = best(i, j);
            if (!move.silent) {
                result.push_back({move.usesShown ? std::optional(i) : std::nullopt,
                                  move.takesPrinted ? std::optional(j) : std::nullopt});
            }
            i += move.takesShown ? 1 : 0;
            j += move.takesPrinted ? 1 : 0;
        }
        return result;
    }

private:
    struct Move {
        int cost = std::numeric_limits<int>::max();
        bool takesShown = false;   ///< goes on to the next line of the README
        bool takesPrinted = false; ///< goes on to the next printed line
        bool usesShown = false;
        bool silent = false; ///< leaves a `[...]` behind: no row
    };

    // A line that differs costs most. A `[...]` costs a little for each line, so that a line of
    // its own is preferred where there is one.
    static constexpr int difference = 1000;
    static constexpr int absorbed = 1;

    Move best(std::size_t i, std::size_t j) {
        if (i == shown_.size() && j == printed_.size()) {
            return {.cost = 0};
        }
        Move result;
        const auto consider = [&](Move move) {
            const int rest = cost(i + (move.takesShown ? 1 : 0), j + (move.takesPrinted ? 1 : 0));
            move.cost += rest;
            if (move.cost < result.cost) {
                result = move;
            }
        };
        const bool anyLines = i < shown_.size() && standsForAnyLines(shown_[i].shown);
        if (anyLines) {
            consider({.cost = 0, .takesShown = true, .silent = true});
            if (j < printed_.size()) {
                consider({.cost = absorbed, .takesPrinted = true, .usesShown = true});
            }
        } else if (i < shown_.size()) {
            if (j < printed_.size() && fits(shown_[i].shown, printed_[j].printed)) {
                consider({.cost = 0, .takesShown = true, .takesPrinted = true,
                          .usesShown = true});
            }
            consider({.cost = difference, .takesShown = true, .usesShown = true});
        }
        if (j < printed_.size()) {
            consider({.cost = difference, .takesPrinted = true});
        }
        return result;
    }

    int& cost(std::size_t i, std::size_t j) { return costs_[i * (printed_.size() + 1) + j]; }

    const std::vector<ExpectedLine>& shown_;
    const std::vector<PrintedLine>& printed_;
    std::vector<int> costs_;
};

std::vector<AlignedRow> alignInAnyOrder(const std::vector<ExpectedLine>& shown,
                                        const std::vector<PrintedLine>& printed) {
    std::vector<AlignedRow> rows;
    std::vector<bool> used(shown.size(), false);
    for (std::size_t j = 0; j < printed.size(); ++j) {
        AlignedRow row{std::nullopt, j};
        for (std::size_t i = 0; i < shown.size() && !row.shown; ++i) {
            if (!used[i] && !standsForAnyLines(shown[i].shown) &&
                fits(shown[i].shown, printed[j].printed)) {
                used[i] = true;
                row.shown = i;
            }
        }
        for (std::size_t i = 0; i < shown.size() && !row.shown; ++i) {
            if (standsForAnyLines(shown[i].shown)) {
                used[i] = true;
                row.shown = i;
            }
        }
        rows.push_back(row);
    }
    for (std::size_t i = 0; i < shown.size(); ++i) {
        if (!used[i] && !standsForAnyLines(shown[i].shown)) {
            rows.push_back({i, std::nullopt});
        }
    }
    return rows;
}

} // namespace

std::vector<AlignedRow> align(const std::vector<ExpectedLine>& shown,
                              const std::vector<PrintedLine>& printed, bool anyOrder) {
    return anyOrder ? alignInAnyOrder(shown, printed) : OrderedAlignment(shown, printed).rows();
}

} // namespace lifecycle::readme
