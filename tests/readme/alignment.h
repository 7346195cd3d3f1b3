#pragma once

#include "printed_line.h"
#include "script.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace lifecycle::readme {

/// One row of a comparison: a shown line, a printed line, or both where they fit. A `[...]` has
/// one row for each line that it stands for.
struct AlignedRow {
    std::optional<std::size_t> shown;
    std::optional<std::size_t> printed;
};

/// What a README shows beside what was printed: the reading with the fewest differences. Each
/// index occurs in order, apart from the shown ones of a block whose order is free.
std::vector<AlignedRow> align(const std::vector<ExpectedLine>& shown,
                              const std::vector<PrintedLine>& printed, bool anyOrder);

} // namespace lifecycle::readme
