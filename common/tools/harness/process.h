#pragma once

#include "captured_output.h"
#include "deadline.h"
#include "event_parser.h"
#include "spawned_child.h"

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <iosfwd>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace lifecycle::test {

/// How a program ended.
struct ExitStatus {
    /// Its exit code, or -1 when a signal ended it.
    int code = -1;
    /// The signal that ended it, or 0 when it exited.
    int signal = 0;
    /// When it ended: the moment the kernel woke the thread that was blocked on it.
    Clock::time_point at{};
};

std::ostream& operator<<(std::ostream& stream, const ExitStatus& status);

/// A program under test: started, watched through its event lines, signalled, and gone for
/// certain at the end of the scope.
///
/// Nothing here polls. One thread is blocked in waitid(2), so that the time of exit is exact; one
/// takes in the output. The program starts with default signals (default_signals.h). The destructor
/// kills its process group, and prints its log when the test is failing.
///
/// Safe to use from every thread, apart from the destructor.
///
///     Process server({STAGE_BIN_DIR "/03_http_shutdown", "--port", "0"});
///     const int port = server.waitForEvent("ready").number("port");
///     server.signal(SIGTERM);
///     CHECK(server.waitForExit(5s).code == 0);
class Process {
public:
    using EventCondition = std::function<bool(const Event&)>;

    /// Throws std::system_error when the program cannot be started.
    explicit Process(std::vector<std::string> argv, ProcessOptions options = {});
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    pid_t pid() const { return pid_; }

    /// From now on the destructor does not print the log, whatever happens: for a program whose
    /// failure is a result.
    void neverPrintLog() { never_print_ = true; }

    /// Sends a signal to the program alone, as `kill` does. Does nothing once it has ended.
    void signal(int number) const;

    /// Blocks until the program has written an event with this word (for which `condition` holds)
    /// and returns the first such. Throws std::runtime_error if it does not come in time, or
    /// cannot come any more because stderr is closed.
    Event waitForEvent(std::string_view word, Deadline deadline = std::chrono::seconds(10),
                       const EventCondition& condition = {}) const;

    /// Every event so far.
    std::vector<Event> events() const { return output_->events(); }
    /// Every event so far with this word.
    std::vector<Event> events(std::string_view word) const;

    /// Blocks until the program has ended and its output is taken in. Throws std::runtime_error
    /// if it does not end in time.
    ExitStatus waitForExit(Deadline deadline) const;
    /// The same, without blocking: nothing while it runs.
    std::optional<ExitStatus> exitStatus() const;

    std::string standardOutput() const { return output_->standardOutput(); }
    /// Every line of stderr so far, events or not.
    std::vector<CapturedLine> standardError() const { return output_->standardError(); }

    /// The command, how it ended, and what it wrote: for the message of a failed test.
    std::string log() const;

private:
    void startAndWait(std::promise<void>& started);
    bool testIsFailing() const;

    const std::vector<std::string> argv_;
    const ProcessOptions options_;
    const Clock::time_point started_at_ = Clock::now();
    const int exceptions_at_start_;
    bool never_print_ = false;
    pid_t pid_ = -1;
    std::unique_ptr<CapturedOutput> output_;

    mutable std::mutex mutex_;
    mutable std::condition_variable ended_;
    std::optional<ExitStatus> status_;

    std::thread waiter_;
};

} // namespace lifecycle::test
