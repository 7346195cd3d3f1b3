#pragma once

namespace lifecycle::test {

/// Gives every signal its DEFAULT disposition and empties the calling thread's mask: what a
/// program finds that is started from a terminal.
///
/// Both survive exec. A test that runs in the background of a script inherits an ignored SIGINT,
/// so that a server started by it would seem to survive signals that kill it elsewhere.
///
/// Async-signal-safe: for the child between fork and exec.
void restoreDefaultSignals();

} // namespace lifecycle::test
