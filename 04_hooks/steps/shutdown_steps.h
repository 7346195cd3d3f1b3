#pragma once

#include <array>
#include <string_view>

namespace stage {

/// The steps of this stage's shutdown in their order: the phases of its hooks, one hook in each.
enum ShutdownStep : int { readiness, lameDuck, listener, inFlight, orders, servers, report };

/// Their names in events and for --hook.
inline constexpr std::array<std::string_view, 7> stepNames{
    "readiness", "lame-duck", "listener", "in-flight", "orders", "servers", "report"};

}  // namespace stage
