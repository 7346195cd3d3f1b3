#pragma once

#include <string>
#include <string_view>

namespace lifecycle {

/// "program: message" as one line, without the newline, that is safe on a terminal and in a log: a message may quote
/// what a user typed, which can be anything. Control characters (also those beyond ASCII, and those that reverse the
/// direction of text) and bytes that are not UTF-8 are escaped as `\x1b`. If the line is longer than 1100 bytes, its
/// middle is left out, so that both the bad input and the reason remain.
std::string errorLine(std::string_view program, std::string_view message);

/// Writes that line to standard error.
void printError(std::string_view program, std::string_view message);

}  // namespace lifecycle
