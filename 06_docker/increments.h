#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "counter.h"
#include "lifecycle/context.h"
#include "lifecycle/duration.h"
#include "lifecycle/event_log.h"
#include "lifecycle/wait_group.h"

namespace stage {

/// The work behind GET /incr: it takes `work`, and then the counter is one higher. In the
/// background it is what a shutdown must not forget: its client has been told that all is well, and
/// will not ask again.
///
/// All functions may be called from every thread. Must outlive its background jobs, or the process
/// be left by _exit.
class Increments {
public:
    /// At most `maxJobs` jobs in the background at once, each on a thread of its own. `counter` and
    /// `events` must outlive it.
    Increments(Counter& counter, lifecycle::Duration work, unsigned maxJobs,
               lifecycle::EventLog& events);

    /// Begins a job in the background; false if there are too many, or once wait() has been called.
    bool begin();

    /// Does the same here and now. Blocks until it is done, or `context` is (false).
    bool doNow(const lifecycle::Context& context);

    /// Takes no more jobs, then blocks until all are done (true) or `context` is (false). Tells
    /// once a second what it is waiting for.
    bool wait(const lifecycle::Context& context);

    /// What became of the jobs in the background.
    struct Tally {
        std::uint64_t applied = 0;    ///< their increments are in the counter
        std::uint64_t unapplied = 0;  ///< not, as far as is known
        /// Those of the unapplied that were sent: the counter may or may not include them.
        std::uint64_t unconfirmed = 0;
    };
    /// While jobs run, those that are being applied are among the unconfirmed.
    Tally tally() const;

    /// Ends the jobs that are left, and counts them.
    Tally abandon();

private:
    bool reserve();
    std::string nextId();

    Counter& counter_;
    const lifecycle::Duration work_;
    const unsigned maxJobs_;
    lifecycle::EventLog& events_;
    const std::string process_;  // makes the ids of this process differ from those of all others
    std::atomic<std::uint64_t> ids_ = 0;
    const lifecycle::CancelableContext abandoned_;
    std::atomic<unsigned> running_ = 0;  // at most maxJobs_
    std::atomic<std::uint64_t> begun_ = 0;
    std::atomic<std::uint64_t> applied_ = 0;
    lifecycle::WaitGroup jobs_;
};

}  // namespace stage
