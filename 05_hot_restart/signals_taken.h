#pragma once

#include <array>
#include <csignal>

namespace stage {

/// The signals that this stage handles in addition to those that shut it down. A new generation starts with these
/// blocked: they must not kill it before it handles them.
inline constexpr std::array restartSignals{SIGHUP, SIGUSR1, SIGUSR2, SIGTSTP};

}  // namespace stage
