#pragma once

namespace lifecycle::check {

/// What a run has started goes with it even when the run is killed by SIGKILL and cannot see to it.
///
/// A process of its own waits for the end of a pipe, which is the end of the run however it comes, and
/// kills what is left: every process with the mark of this run, which children inherit, daemons among
/// them. The mark is an environment variable and, for daemons that clear their environment, a resource
/// limit with a value of its own (RLIMIT_RTTIME, so high that it never takes effect).
///
/// Marks this process. Call it before any thread is started, and before adoptOrphans: the watchdog must not count as
/// something that the run has started. Throws std::system_error.
void startWatchdog();

}  // namespace lifecycle::check
