#pragma once

#include "session.h"

#include <string>

namespace lifecycle::readme {

/// A failure in words for the one who reads or writes the README: what differs, in which line, and
/// everything that the terminal printed beside what the README shows. `file` is the README's name.
std::string failureReport(const std::string& file, const Script& script,
                          const SessionResult& result);

} // namespace lifecycle::readme
