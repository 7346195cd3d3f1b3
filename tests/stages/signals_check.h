#pragma once

#include "process.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lifecycle::test {

/// Starts the program under test and brings it to where the signals shall find it.
using StartProcess = std::function<std::shared_ptr<Process>()>;

/// The second of HUP, INT, QUIT and TERM, 50 ms or more after the first, ends the process within 100 ms
/// with 128+n, whichever comes first. `start` gives a program whose shutdown would hang.
void checkSecondSignalForces(const StartProcess& start);

/// The same signal again inside 50 ms is no second request. `start` gives a program whose work does
/// end, so that it must exit with 0.
void checkBounceIsOneRequest(const StartProcess& start);

/// With --second-term ignore a second TERM and a HUP are logged and harmless; INT still forces.
void checkSecondTermIsIgnored(const StartProcess& start);

/// A signal at any moment of the first 50 ms never makes the program hang or fail: it ends with 0,
/// or, when it came before main had begun, by the signal. One try in every `step`.
void checkSignalWhileStarting(const std::vector<std::string>& command,
                              std::chrono::milliseconds step = std::chrono::milliseconds(1));

} // namespace lifecycle::test
