#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace lifecycle::test {

/// A line of the kernel's process table (proc(5)).
struct ProcessEntry {
    pid_t pid = 0;
    char state = '?'; ///< 'Z': it has ended, and nobody has asked how yet
    pid_t parent = 0;
    pid_t group = 0;
    pid_t session = 0;
};

/// Every process at this moment. Those that come or go meanwhile may be in it or not.
std::vector<ProcessEntry> processTable();

/// The arguments that a process was started with, each followed by a null character. Between fork
/// and exec they are those of its parent. Empty for one that has ended.
std::string commandLineOf(pid_t pid);

/// Was it started with this "NAME=value" in its environment? What it has set since does not show.
bool hasInEnvironment(pid_t pid, const std::string& variable);

} // namespace lifecycle::test
