#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "deadline.h"
#include "listening.h"
#include "port_reservation.h"
#include "process.h"
#include "recording.h"
#include "settings.h"
#include "thread_times.h"

namespace lifecycle::check {

/// The command ended, or its time to start was over, before it listened on its port or answered.
class NeverListens : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The server under test: a fresh process on a free port, with all that it starts. Gone for certain
/// at the end of the scope; only one lives at a time.
class Subject {
public:
    enum class Wait { untilServing, notAtAll };

    /// Starts it. Throws NeverListens; std::system_error if there is no such program.
    Subject(const Settings& settings, Recording& recording, Wait wait = Wait::untilServing,
            test::ProcessOptions options = {});
    ~Subject();
    Subject(const Subject&) = delete;
    Subject& operator=(const Subject&) = delete;

    int port() const { return port_.port(); }

    /// How long it took until its first answer, with Wait::untilServing.
    test::Clock::duration startTook() const { return startTook_; }

    /// The status of its first answer to --path: with Wait::untilServing it has given one.
    int firstStatus() const { return firstStatus_; }

    /// Sends a signal to the process that was started, as a supervisor does; returns the moment before.
    test::Clock::time_point signal(int number);

    /// Blocks until the process has taken the signal: what it does from then on is its answer to it. False if it
    /// has not in time.
    bool takesSignal(int number, test::Deadline deadline) const;

    /// Stops all of it in the sense of job control, so that clients act while it cannot; and goes on. Blocks until
    /// all have stopped. Throws std::runtime_error if they do not.
    void freeze() const;
    void goOn() const;

    /// Blocks until the process that was started is gone. Empty if that does not happen in time.
    std::optional<test::ExitStatus> waitForExit(test::Deadline deadline);
    std::optional<test::ExitStatus> exitStatus() const { return process_->exitStatus(); }

    Listening listening() const;

    /// What its threads have done with their time so far.
    ThreadTimes threadTimes() const;

private:
    void waitUntilListening();
    void waitUntilServing();
    void leaveIfNotOurs() const;

    const Settings& settings_;
    Recording& recording_;
    test::PortReservation port_;
    std::optional<test::Process> process_;
    int firstStatus_ = 0;
    test::Clock::duration startTook_{};
};

}  // namespace lifecycle::check
