#pragma once

#include <string>

namespace lifecycle::readme {

/// Replaces what is different in every run by a fixed word, so that a README can show a real run:
/// times since the start, process and user ids, measured durations, dates, ports of clients.
/// What a learner is meant to read (port=8080, code=75, in_flight=1) stays. The rules stand in
/// one table in normalise.cpp.
std::string normalise(const std::string& line);

} // namespace lifecycle::readme
