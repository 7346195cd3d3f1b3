#pragma once

#include "process_table.h"

#include <sys/types.h>

#include <vector>

namespace lifecycle::test {

/// From now on every process that this one starts, and those start, stays a descendant of it, even
/// when its parent ends or it makes itself a daemon (PR_SET_CHILD_SUBREAPER).
void adoptOrphans();

/// The children of this process, theirs, and so on; also those that have ended and were not asked
/// yet how. Complete only after adoptOrphans().
std::vector<ProcessEntry> descendants();

/// Kills all descendants and waits until they are gone. For the end of a block: whatever its
/// commands left behind must not meet the next one. Needs adoptOrphans().
void killDescendants();

/// Is any process left in this session besides its leader, the shell?
bool sessionHasOthers(pid_t leader);

} // namespace lifecycle::test
