#pragma once

#include "process.h"

namespace lifecycle::test {

/// Checks what a server that has ended by itself told: every line is an event with a known word,
/// those of the shutdown come in their order, time does not run backwards, the last line is the
/// exit code, and served + refused + cut is the number of requests.
void checkStory(const Process& server);

} // namespace lifecycle::test
