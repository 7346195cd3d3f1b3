#include "worker_table.h"

#include <algorithm>
#include <csignal>

namespace stage {

Worker& WorkerTable::add(unsigned generation) {
    workers_.push_back({.generation = generation});
    return workers_.back();
}

void WorkerTable::registerPid(const Worker& worker) {
    const std::lock_guard lock(mutex_);
    pids_.insert(worker.process->pid());
}

void WorkerTable::remove(const Worker& worker) {
    const std::lock_guard lock(mutex_);
    if (worker.process) {
        pids_.erase(worker.process->pid());
    }
    const auto found = std::find_if(workers_.begin(), workers_.end(),
                                    [&worker](const Worker& one) { return &one == &worker; });
    workers_.erase(found);  // reaps it
}

Worker* WorkerTable::find(GenerationState state) {
    const auto found = std::find_if(workers_.begin(), workers_.end(),
                                    [state](const Worker& worker) { return worker.state == state; });
    return found == workers_.end() ? nullptr : &*found;
}

bool WorkerTable::contains(pid_t pid) {
    const std::lock_guard lock(mutex_);
    return pids_.contains(pid);
}

void WorkerTable::killAll() {
    const std::lock_guard lock(mutex_);
    for (const pid_t pid : pids_) {
        ::kill(pid, SIGKILL);
    }
}

}  // namespace stage
