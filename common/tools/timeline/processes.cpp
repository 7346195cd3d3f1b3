#include "processes.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <tuple>

namespace lifecycle::timeline {
namespace {

using test::Event;

std::string fieldOf(const Event& event, const std::string& name) {
    return event.has(name) ? event.field(name) : "";
}

/// 0 if there is no such field, or no number in it: a log may hold anything.
long long numberIn(const Event& event, const std::string& name) {
    return std::strtoll(fieldOf(event, name).c_str(), nullptr, 10);
}

pid_t pidIn(const Event& event, const std::string& name) {
    return static_cast<pid_t>(numberIn(event, name));
}

bool isReady(const Event& event) {
    return event.word == "ready" || event.word == "worker.ready";
}

/// What only a process says that has begun to end, or has handed over.
bool isOfTheEnd(const Event& event) {
    static const std::set<std::string> words{"listener.closed", "drain.begin",  "drain.waiting", "drain.end",
                                             "deadline.hit",    "shutdown.end", "exit"};
    return words.contains(event.word);
}

/// What a process does not say any more once it has handed over.
bool isOfTheOneThatServes(const Event& event) {
    static const std::set<std::string> words{"signal", "shutdown.begin", "readiness.off", "restart.begin",
                                             "restart.spawned"};
    return words.contains(event.word);
}

}  // namespace

pid_t endedPid(const Event& event) {
    if (event.word == "restart.failed" || event.word == "restart.canceled" || event.word == "restart.rollback") {
        return pidIn(event, "new_pid");
    }
    return event.word == "worker.ended" || event.word == "restart.successor_ended" ? pidIn(event, "pid") : 0;
}

std::optional<std::size_t> Processes::find(pid_t pid) const {
    for (std::size_t i = all_.size(); i-- > 0;) {  // pids are used again: the last one counts
        if (pid != 0 && all_[i].pid == pid) {
            return i;
        }
    }
    return std::nullopt;
}

std::string Processes::name(std::size_t process) const {
    if (all_.size() == 1) {
        return "process";
    }
    const Process& one = all_[process];
    if (one.isSupervisor) {
        return "supervisor";
    }
    return "generation " + (one.generation.empty() ? std::to_string(process + 1) : one.generation);
}

Processes::Origin Processes::of(const Event& event) {
    const std::size_t author = authorOf(event);
    Process& process = all_[author];
    const Seconds own = event.since_start.count();
    if (author != 0 && author >= clocks_.size() && isReady(event) && !process.readyAt) {
        process.began = std::max(process.began, now_ - own);  // whatever stands above was written before
    }
    const Seconds at = process.began + own;
    now_ = std::max(now_, at);
    learn(author, event);
    return {author, at};
}

/// The place of a process that tells its pid for the first time.
std::size_t Processes::introduced(pid_t pid) {
    if (all_.front().pid == 0) {
        all_.front().pid = pid;
        return 0;
    }
    add(pid, "");
    return all_.size() - 1;
}

void Processes::add(pid_t pid, const std::string& generation) {
    const Seconds began = all_.size() < clocks_.size() ? clocks_[all_.size()] : now_;
    all_.push_back({.pid = pid, .began = began, .generation = generation});
}

/// Another process has heard that this one is ready, a moment ago: between its start and that is more time
/// than between the two lines.
void Processes::confirmReady(std::size_t process, Seconds at) {
    if (process != 0 && process >= clocks_.size() && all_[process].readyAt) {
        all_[process].began = std::max(all_[process].began, at - *all_[process].readyAt);
    }
}

std::vector<Seconds> Processes::clocks() const {
    std::vector<Seconds> clocks;
    for (const Process& process : all_) {
        clocks.push_back(process.began);
    }
    return clocks;
}

std::size_t Processes::authorOf(const Event& event) {
    if (isReady(event) && event.has("pid")) {
        const pid_t pid = pidIn(event, "pid");
        const auto known = find(pid);
        return known && !all_[*known].isGone ? *known : introduced(pid);
    }
    if (const auto known = find(pidIn(event, "old_pid"))) {
        return *known;
    }
    using Rank = std::tuple<bool, long long, double>;
    std::size_t best = all_.size() - 1;
    Rank lowest{true, std::numeric_limits<long long>::max(), std::numeric_limits<double>::max()};
    for (std::size_t i = 0; i < all_.size(); ++i) {
        const Process& process = all_[i];
        if (process.isGone) {
            continue;
        }
        const bool isRequest = event.word == "request.begin" && event.has("id");
        const long long skipped = isRequest ? std::llabs(numberIn(event, "id") - process.lastRequest - 1) : 0;
        const Rank rank{!canHaveWritten(process, event), skipped, distance(process, event)};
        if (rank < lowest) {
            lowest = rank;
            best = i;
        }
    }
    return best;
}

bool Processes::canHaveWritten(const Process& process, const Event& event) const {
    if (process.isSupervisor && (event.word.starts_with("request.") || event.word.starts_with("drain.") ||
                                 event.word == "listener.closed" || event.word == "readiness.off")) {
        return false;
    }
    if (isOfTheEnd(event)) {
        return process.isEnding;
    }
    if (event.word == "shutdown.begin" && process.isEnding) {
        return false;
    }
    if (isOfTheOneThatServes(event)) {
        return process.handedOverTo == 0;
    }
    return event.word != "request.end" || process.open.contains(fieldOf(event, "id"));
}

/// How long after the line above it a process would have written this one. Nothing is written before that,
/// but clocks are known to some milliseconds only.
double Processes::distance(const Process& process, const Event& event) const {
    const double later = process.began + event.since_start.count() - now_;
    return later >= 0 ? later : -10 * later;
}

void Processes::learn(std::size_t author, const Event& event) {
    Process& process = all_[author];
    if (isReady(event)) {
        for (std::size_t i = 1; process.isSupervisor && i < all_.size(); ++i) {
            if (all_[i].generation == fieldOf(event, "generation")) {
                confirmReady(i, now_);
            }
        }
        process.readyAt = process.readyAt.value_or(event.since_start.count());
        process.generation = fieldOf(event, "generation");
    } else if (event.word == "restart.handed_over") {
        process.handedOverTo = pidIn(event, "new_pid");
        process.isEnding = true;
        if (const auto next = find(process.handedOverTo)) {
            confirmReady(*next, now_);
        }
    } else if (event.word == "shutdown.begin") {
        process.isEnding = true;
    } else if (event.word == "exit") {
        process.isGone = true;
    } else if (event.word == "request.begin") {
        process.open.insert(fieldOf(event, "id"));
        process.lastRequest = std::max(process.lastRequest, numberIn(event, "id"));
    } else if (event.word == "request.end") {
        process.open.erase(fieldOf(event, "id"));
    } else if (event.word == "restart.begin") {
        process.nextGeneration = fieldOf(event, "new_generation");
    } else if (event.word == "restart.spawned") {
        process.isSupervisor = process.isSupervisor || !process.readyAt;  // the others are ready when they start one
        const std::string generation = process.nextGeneration;
        add(pidIn(event, "new_pid"), generation);
    }
    if (const auto gone = find(endedPid(event))) {
        all_[*gone].isGone = true;
        for (Process& other : all_) {
            if (event.word == "restart.rollback" && other.handedOverTo == all_[*gone].pid) {
                other.handedOverTo = 0;
                other.isEnding = false;
            }
        }
    }
}

}  // namespace lifecycle::timeline
