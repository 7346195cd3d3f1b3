#pragma once

#include "load.h"

#include <functional>
#include <string>
#include <vector>

namespace lifecycle::test {

/// What the clients of a load experienced when the server was stopped under them.
struct Stops {
    LoadResult clients;
    /// Exit codes other than 0.
    int uncleanExits = 0;
    /// What the servers say of themselves.
    std::size_t served = 0;
    std::size_t refused = 0;
};

/// Starts a server with `options`, lets the load of `plan` (its port aside) run against it until
/// `answers` requests have been answered, and sends SIGTERM; `times` times, each with clients of
/// its own.
Stops stopUnderLoad(const std::vector<std::string>& options, const LoadPlan& plan,
                    std::size_t answers, int times);

/// The same for a server that is expected to lose requests. Returns true as soon as it has.
bool losesRequests(const std::vector<std::string>& options, const LoadPlan& plan,
                   std::size_t answers, int times);

} // namespace lifecycle::test
