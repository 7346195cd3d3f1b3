#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "event_parser.h"
#include "timeline.h"

namespace lifecycle::timeline {

/// The processes that write into one log, as in a hot restart. Each line has the time since the start of
/// its own process, and only a few say whose they are: this tells it of each line, in the order of the log.
///
/// `restart.spawned` and `ready` tell who there is and when it began. Any other line is given to a process
/// that can have written it (`exit` comes from one that was ending, `request.end` from the one that began
/// that request); of several such, to the one by whose clock it was written next. So a line can be given to
/// the wrong one only if it could be from both, and is then off by the time between their starts.
///
/// How far the clocks are apart is known only when both sides of a hand-over have spoken. So go through the log
/// twice, the second time with the clocks of the first.
class Processes {
public:
    explicit Processes(std::vector<Seconds> clocks = {}) : clocks_(std::move(clocks)) {}

    /// Who wrote a line, and when, since the start of the first process.
    struct Origin {
        std::size_t process = 0;  ///< in the order of their starts
        Seconds at = 0;
    };

    /// Must be asked for every event of the log, in its order.
    Origin of(const test::Event& event);

    std::size_t count() const { return all_.size(); }
    /// Where the process with this pid stands, the last one if the pid was used again.
    std::optional<std::size_t> find(pid_t pid) const;
    Seconds beganAt(std::size_t process) const { return all_[process].began; }
    /// When each began, as far as that is known by now.
    std::vector<Seconds> clocks() const;
    /// "generation 2"; "supervisor" for one that only starts the others; "process" if there is no other.
    std::string name(std::size_t process) const;

private:
    struct Process {
        pid_t pid = 0;  ///< 0 as long as it has not told it
        Seconds began = 0;
        std::string generation{};
        std::string nextGeneration{};  ///< of the process that it starts
        std::optional<Seconds> readyAt{};  ///< by its own clock
        bool isSupervisor = false;         ///< starts the others, and serves nobody
        bool isEnding = false;
        bool isGone = false;
        pid_t handedOverTo = 0;
        long long lastRequest = 0;
        std::set<std::string> open{};  ///< ids of requests without an end
    };

    std::size_t authorOf(const test::Event& event);
    std::size_t introduced(pid_t pid);
    void add(pid_t pid, const std::string& generation);
    void confirmReady(std::size_t process, Seconds at);
    bool canHaveWritten(const Process& process, const test::Event& event) const;
    double distance(const Process& process, const test::Event& event) const;
    void learn(std::size_t author, const test::Event& event);

    const std::vector<Seconds> clocks_;
    std::vector<Process> all_{Process{}};
    Seconds now_ = 0;
};

/// The pid of the process that has ended according to another one; 0 if the event tells of no such thing.
pid_t endedPid(const test::Event& event);

}  // namespace lifecycle::timeline
