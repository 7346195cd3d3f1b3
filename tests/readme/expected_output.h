#pragma once

#include "script.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace lifecycle::readme {

/// The lines that a README shows of one terminal, by step.
using ExpectedLines = std::vector<std::vector<ExpectedLine>>;

/// What a README shows of one terminal, compared line by line while the terminal prints. It
/// answers the two questions that lead the session: does this line fit here, and has everything
/// up to a step appeared? Empty lines are no part of it.
class ExpectedOutput {
public:
    virtual ~ExpectedOutput() = default;

    /// Takes the next line that was printed. False if it does not fit; then it is not taken.
    virtual bool accept(const ComparedLine& printed) = 0;

    /// Has everything appeared that is shown up to and with step `step`?
    virtual bool reached(std::size_t step) const = 0;

    /// Nothing more can belong to the steps up to and with `step`: the terminal is at its prompt
    /// again. Ends a `[...]`, which otherwise would take the output of the next command as well.
    /// Requires reached(step).
    virtual void finish(std::size_t step) = 0;

    /// The lines up to and with `step` that are still to come, none when it is reached.
    virtual std::vector<ExpectedLine> missing(std::size_t step) const = 0;
};

/// For one terminal of the script, with the lines of each step in order or in any order, as the
/// block's options say.
std::unique_ptr<ExpectedOutput> expectedOutput(const Script& script, int terminal);

} // namespace lifecycle::readme
