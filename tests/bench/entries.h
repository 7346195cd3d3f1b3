#pragma once

#include <set>
#include <string>
#include <vector>

#include "figure.h"

namespace lifecycle::bench {

/// A figure and how to measure it.
struct Entry {
    const char* name;
    Figure (*measure)(const Effort&);
};

/// Every figure, in the order of the report.
const std::vector<Entry>& allEntries();

/// "a,b,c" of all of them.
std::string allNames();

/// Reads "a,c"; throws std::invalid_argument for a name that is none. "none" is no figure at all.
std::set<std::string> parseNames(const std::string& list);

}  // namespace lifecycle::bench
