#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "event_parser.h"
#include "timeline.h"

namespace lifecycle::timeline {

/// The processes that wrote the log of one run. Each line of a hot restart names its process, `generation=2` or
/// `role=supervisor`; lines without such a field are from one process.
///
/// Each process counts time from its own start. That moment is when its starter logged `restart.spawned`, and more
/// precisely when another process logged that it serves, less the time at which it logged `ready` itself.
class Processes {
public:
    explicit Processes(const std::vector<test::Event>& events);

    std::size_t count() const { return names_.size(); }
    /// "generation 2", "supervisor"; "process" if there is no other.
    std::string name(std::size_t process) const { return count() == 1 ? "process" : names_[process]; }

    /// The process that wrote this event, in the order in which the log mentions them.
    std::size_t authorOf(const test::Event& event) const;
    /// When it wrote it, since the start of the first process.
    Seconds timeOf(const test::Event& event) const { return began_[authorOf(event)] + event.sinceStart.count(); }
    Seconds beganAt(std::size_t process) const { return began_[process]; }

    /// The process with this pid: the last one if the pid was reused.
    std::optional<std::size_t> find(pid_t pid) const;

private:
    std::size_t add(const std::string& name);

    std::vector<std::string> names_;
    std::vector<Seconds> began_;
    std::map<pid_t, std::size_t> byPid_;
};

/// The field's value; 0 if there is none or it is not a number.
pid_t pidIn(const test::Event& event, const std::string& field);

/// The pid of a process whose exit another process logged with this event, otherwise 0.
pid_t exitedPid(const test::Event& event);

bool isReady(const test::Event& event);

}  // namespace lifecycle::timeline
