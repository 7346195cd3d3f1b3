#pragma once

#include "process.h"

#include <sys/types.h>

#include <set>
#include <string>
#include <thread>

namespace lifecycle::test {

/// The threads of a process at this moment that have this name.
std::set<pid_t> threadsOf(pid_t pid, const std::string& name);

/// One thread of a program stands still wherever it is, and nothing that the program does wakes it:
/// inside a handler, this is a handler that hangs, deaf to its context and to its socket. The program
/// can end all the same. The destructor kills the program. Source: ptrace(2).
class StoppedThread {
public:
    /// May a process here stop threads of its children? If not, says so in the words that make CTest
    /// count the test as skipped: the test is to return then.
    static bool allowed();

    /// Waits until it sleeps, so that it holds no lock that others want, and returns when it stands. Not
    /// for the first thread of the program. Throws std::system_error.
    StoppedThread(const Process& program, pid_t thread);
    StoppedThread(const StoppedThread&) = delete;
    StoppedThread& operator=(const StoppedThread&) = delete;
    ~StoppedThread();

private:
    const Process& program_;
    std::thread tracer_;
};

} // namespace lifecycle::test
