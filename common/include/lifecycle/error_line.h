#pragma once

#include <string>
#include <string_view>

namespace lifecycle {

/// "program: message" as one line that is safe on a terminal and in a log, without its newline: what a user typed, or
/// what a library said about it, may hold anything. Control characters (also those beyond ASCII, and the ones that
/// reverse the direction of text) and bytes that are not UTF-8 are escaped, `\x1b`; of more than 1100 bytes the
/// middle is left out, so that what was wrong and why both remain.
std::string errorLine(std::string_view program, std::string_view message);

/// Writes that line to standard error.
void printError(std::string_view program, std::string_view message);

}  // namespace lifecycle
