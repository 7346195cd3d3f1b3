#pragma once

#include "expected_output.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace lifecycle::readme {

/// The lines of each step in any order: every printed line must find a line of its own in the
/// README. That is a matching in a bipartite graph, grown by one augmenting path per line.
class InAnyOrder : public ExpectedOutput {
public:
    explicit InAnyOrder(const ExpectedLines& steps);

    bool accept(const ComparedLine& printed) override;
    bool reached(std::size_t step) const override;
    void finish(std::size_t step) override;
    std::vector<ExpectedLine> missing(std::size_t step) const override;

private:
    /// The lines of one step.
    struct Group {
        std::vector<ExpectedLine> lines;
        std::vector<std::optional<ComparedLine>> printed; ///< beside each line, what fits it
        bool takesOthers = false;                       ///< it has a `[...]`

        bool accept(const ComparedLine& line);
        bool place(const ComparedLine& line, std::vector<bool>& visited);
        std::vector<ExpectedLine> missing() const;
    };

    std::vector<Group> groups_;
    std::size_t current_ = 0;
};

} // namespace lifecycle::readme
