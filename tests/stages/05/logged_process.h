#pragma once

#include "event_parser.h"
#include "process.h"
#include "temp_dir.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace lifecycle::test {

/// A program whose stderr is a file, and the processes that it leaves behind. For servers under load
/// that tell of every request: a pipe that this test does not read in time would cost lines.
///
/// What it waits for is the same as with Process. Of events about requests only the first 1,000 are
/// kept. Safe to use from every thread, apart from the destructor.
class LoggedProcess {
public:
    /// Throws std::system_error when the program cannot be started.
    explicit LoggedProcess(const std::vector<std::string>& argv, ProcessOptions options = {});
    LoggedProcess(const LoggedProcess&) = delete;
    LoggedProcess& operator=(const LoggedProcess&) = delete;
    /// Kills all that is left, and prints what matters of the log when the test is failing.
    ~LoggedProcess();

    pid_t pid() const { return process_->pid(); }
    void signal(int number) const { process_->signal(number); }
    ExitStatus waitForExit(Deadline deadline) const { return process_->waitForExit(deadline); }

    /// Blocks until there have been `count` such events, and returns the last of them. Throws
    /// std::runtime_error if they do not come in time.
    Event waitForEvent(const std::string& word, Deadline deadline = std::chrono::seconds(10),
                       const Process::EventCondition& condition = {}, std::size_t count = 1) const;

    std::vector<Event> events(const std::string& word) const;

private:
    void readOn() const;

    TempDir directory_;
    std::unique_ptr<Process> process_;

    mutable std::mutex mutex_;
    mutable std::size_t offset_ = 0;
    mutable std::string unfinished_;
    mutable std::size_t requests_ = 0;
    mutable std::vector<Event> events_;
    mutable std::vector<std::string> otherLines_;
};

} // namespace lifecycle::test
