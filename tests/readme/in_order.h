#pragma once

#include "expected_output.h"

#include <cstddef>
#include <set>
#include <vector>

namespace lifecycle::readme {

/// Lines in the order shown. Because of `[...]` there may be several ways to read what was printed
/// so far, as in a regular expression: `positions_` holds the place in the README behind each.
class InOrder : public ExpectedOutput {
public:
    explicit InOrder(const ExpectedLines& steps);

    bool accept(const ComparedLine& printed) override;
    bool reached(std::size_t step) const override;
    void finish(std::size_t step) override;
    std::vector<ExpectedLine> missing(std::size_t step) const override;

private:
    void add(std::set<std::size_t>& positions, std::size_t position) const;

    std::vector<ExpectedLine> lines_;
    std::vector<std::size_t> ends_; ///< for each step, the place behind its last line
    std::set<std::size_t> positions_;
};

} // namespace lifecycle::readme
