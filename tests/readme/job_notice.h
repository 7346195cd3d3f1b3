#pragma once

#include <string>

namespace lifecycle::readme {

/// Is this what bash says by itself about a background job, `[1] 4711` when it starts and
/// `[1]+  Done   sleep 1` some time after it ended?
bool isJobNotice(const std::string& line);

} // namespace lifecycle::readme
