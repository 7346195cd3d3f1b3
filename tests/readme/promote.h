#pragma once

#include "printed_line.h"
#include "script.h"

#include <string>
#include <vector>

namespace lifecycle::readme {

/// What to do with lines that fit what was printed.
enum class OldLines {
    keep,   ///< they stay, with their old times: few changes
    retake, ///< they get the new times, unless they have a `[..]`: a transcript of this one run
};

/// The lines of a block with the output of a real run in it, and as few changes as that takes. The
/// prompts stay, and empty lines, and `[...]`. A line that fits what was printed stays as it is
/// and where it is, with its `[..]` and its old times. Others go, and what is new stands behind
/// the line of its terminal that came before it, but never above the prompt that it followed.
std::vector<std::string> promote(const Script& script, const std::vector<PrintedLine>& printed,
                                 OldLines oldLines = OldLines::keep);

} // namespace lifecycle::readme
