#pragma once

#include <optional>
#include <string>
#include <vector>

namespace lifecycle::readme {

/// The first of these commands that PATH does not have, if there is one.
std::optional<std::string> firstMissingCommand(const std::vector<std::string>& commands);

} // namespace lifecycle::readme
