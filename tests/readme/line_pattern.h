#pragma once

#include <string>

namespace lifecycle::readme {

/// A line as it is and without what is different in every run (normalise.h).
struct ComparedLine {
    std::string text;
    std::string normalised;

    // Implicit: it is the line itself, only looked at more closely.
    ComparedLine(std::string line);
    ComparedLine(const char* line) : ComparedLine(std::string(line)) {}
};

/// Is this line of a README `[...]`, any number of lines?
bool standsForAnyLines(const ComparedLine& shown);

/// Does a line that was printed fit the one that a README shows? `[..]` inside the latter stands
/// for any text.
bool fits(const ComparedLine& shown, const ComparedLine& printed);

} // namespace lifecycle::readme
