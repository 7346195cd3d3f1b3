#pragma once

#include <sys/types.h>

#include <list>
#include <memory>
#include <mutex>
#include <set>

#include "generation_state.h"
#include "lifecycle/duration.h"
#include "lifecycle/successor.h"

namespace stage {

/// A generation of a Supervisor.
struct Worker {
    unsigned generation;
    GenerationState state = GenerationState::starting;
    std::unique_ptr<lifecycle::Successor> process{};
    bool released = false;  ///< reported that it no longer accepts
    unsigned successor = 0;  ///< the generation that it has handed over to
    pid_t successorPid = 0;
    lifecycle::TimePoint servingSince{};
};

/// The generations of a Supervisor that have not been reaped.
///
/// contains() and killAll() may be called from every thread, the rest from the loop's.
class WorkerTable {
public:
    Worker& add(unsigned generation);
    /// Its process has been started.
    void registerPid(const Worker& worker);
    /// Reaps it.
    void remove(const Worker& worker);

    /// Null if none is in this state.
    Worker* find(GenerationState state);

    std::list<Worker>& all() { return workers_; }
    unsigned count() const { return static_cast<unsigned>(workers_.size()); }
    bool empty() const { return workers_.empty(); }

    bool contains(pid_t pid);
    void killAll();

private:
    std::list<Worker> workers_;  // never moves its elements
    std::mutex mutex_;
    std::set<pid_t> pids_;  // guarded by mutex_: not reaped yet
};

}  // namespace stage
