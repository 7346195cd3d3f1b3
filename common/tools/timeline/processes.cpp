#include "processes.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>

namespace lifecycle::timeline {
namespace {

using test::Event;

std::string nameOf(const Event& event) {
    if (event.has("role")) {
        return event.field("role");
    }
    return event.has("generation") ? "generation " + event.field("generation") : "process";
}

}  // namespace

pid_t pidIn(const Event& event, const std::string& field) {
    return event.has(field) ? static_cast<pid_t>(std::strtoll(event.field(field).c_str(), nullptr, 10)) : 0;
}

pid_t exitedPid(const Event& event) {
    if (event.word == "restart.failed" || event.word == "restart.canceled" || event.word == "restart.rollback") {
        return pidIn(event, "new_pid");
    }
    return event.word == "worker.ended" || event.word == "restart.successor_ended" ? pidIn(event, "pid") : 0;
}

bool isReady(const Event& event) {
    return event.word == "ready" || event.word == "worker.ready";
}

Processes::Processes(const std::vector<Event>& events) {
    std::map<std::size_t, std::size_t> startedBy;  // the process that each one is starting
    std::map<std::size_t, Seconds> readyAt;        // by its own clock, until another process confirms it
    for (const Event& event : events) {
        const std::size_t author = add(nameOf(event));
        const Seconds at = began_[author] + event.sinceStart.count();
        const auto confirmReady = [&](std::size_t process) {
            const auto ready = readyAt.find(process);
            if (process != author && ready != readyAt.end()) {
                began_[process] = std::max(began_[process], at - ready->second);
                readyAt.erase(ready);
            }
        };
        if (event.word == "restart.begin" && event.has("new_generation")) {
            startedBy[author] = add("generation " + event.field("new_generation"));
        } else if (event.word == "restart.spawned" && startedBy.contains(author)) {
            began_[startedBy[author]] = at;
            byPid_[pidIn(event, "new_pid")] = startedBy[author];
        } else if (event.word == "restart.handed_over") {
            if (const auto successor = find(pidIn(event, "new_pid"))) {
                confirmReady(*successor);
            }
        } else if (isReady(event)) {
            byPid_[pidIn(event, "pid")] = author;
            if (event.has("role")) {
                confirmReady(add("generation " + (event.has("generation") ? event.field("generation") : "")));
            } else if (author != 0) {
                readyAt.emplace(author, event.sinceStart.count());
            }
        }
    }
}

std::size_t Processes::add(const std::string& name) {
    const auto known = std::find(names_.begin(), names_.end(), name);
    if (known == names_.end()) {
        names_.push_back(name);
        began_.push_back(0);
        return names_.size() - 1;
    }
    return static_cast<std::size_t>(std::distance(names_.begin(), known));
}

std::size_t Processes::authorOf(const Event& event) const {
    const auto known = std::find(names_.begin(), names_.end(), nameOf(event));
    return static_cast<std::size_t>(std::distance(names_.begin(), known));
}

std::optional<std::size_t> Processes::find(pid_t pid) const {
    const auto found = byPid_.find(pid);
    return pid == 0 || found == byPid_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace lifecycle::timeline
