#pragma once

#include "rehearsal.h"
#include "scenario.h"

namespace lifecycle::check {

/// Runs one scenario; not applicable if something that it needs is missing. Never throws: what goes
/// wrong on the way is a failure of the scenario.
Verdict run(const Scenario& scenario, Rehearsal& rehearsal);

}  // namespace lifecycle::check
