#pragma once

#include <array>
#include <csignal>

namespace stage {

/// What this stage takes besides the signals that shut it down. A new generation starts with these blocked: one that
/// is not ready yet must not be killed by them.
inline constexpr std::array restartSignals{SIGHUP, SIGUSR1, SIGUSR2, SIGTSTP};

}  // namespace stage
