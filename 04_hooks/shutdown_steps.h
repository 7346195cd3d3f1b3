#pragma once

#include <array>
#include <string_view>

namespace stage {

/// The steps of this stage's shutdown in their order: the phases of its hooks, one hook in each.
enum ShutdownStep : int { readiness, lameDuck, gate, inFlight, orders, servers, report };

/// How they are called, in events and by --hook.
inline constexpr std::array<std::string_view, 7> stepNames{
    "readiness", "lame-duck", "gate", "in-flight", "orders", "servers", "report"};

}  // namespace stage
