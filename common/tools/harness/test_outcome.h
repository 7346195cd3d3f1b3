#pragma once

namespace lifecycle::test {

/// Has the running test case failed an assertion so far? The Catch2 listener in main.cpp keeps
/// this up to date; helpers that hold evidence (a server's log) ask it when they are destroyed.
/// Always false in a program without that listener, such as a benchmark.
bool currentTestHasFailed();

/// For the listener alone.
void setCurrentTestHasFailed(bool failed);

} // namespace lifecycle::test
