#pragma once

namespace stage {

/// The state of a generation; states.md has the table of its transitions.
enum class GenerationState {
    starting,  ///< accepts nobody yet
    serving,
    standby,   ///< has handed over: accepts nobody, and can resume until the rollback window is over
    draining,  ///< finishes what it has accepted, then exits
};

}  // namespace stage
