#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lifecycle/duration.h"

namespace lifecycle::check {

/// What to rehearse, and what is expected of the server. Each limit has a default that a server that
/// ends well keeps on a loaded machine, and one that waits for something does not.
struct Settings {
    /// Program and arguments; `{port}` anywhere inside is replaced.
    std::vector<std::string> command;

    /// `{ms}` in a path is where the server takes its working time in milliseconds.
    std::string path = "/";
    std::string uploadPath;  ///< takes a POST; empty: the same as `path`
    std::string streamPath;  ///< answers in pieces for {ms}
    std::string readyPath;

    int signal;
    std::optional<int> restartSignal;
    std::set<std::string> only;  ///< names of scenarios; empty: all

    unsigned clients = 32;  ///< of the scenarios that have many
    unsigned rounds = 5;    ///< stops of the scenarios that race with the signal
    Duration timeout = std::chrono::seconds(10);
    Duration lameDuck{};
    Duration exitLimit = std::chrono::seconds(1);
    Duration idleLimit = std::chrono::seconds(1);
    Duration refusalLimit = std::chrono::seconds(1);
    Duration forceLimit = std::chrono::seconds(1);
    Duration startLimit = std::chrono::seconds(10);
    Duration restartLimit = std::chrono::seconds(15);
    unsigned cpuLimit = 20;   ///< percent of one processor
    unsigned descriptors = 64;

    bool list = false;
    std::string json;
    std::string timeline;
    std::string timelineTitle;
    Duration timelineUntil{};

    Settings();

    /// Reads the command line. Returns an exit code if the program should end instead: after --help,
    /// or after one line about what is wrong.
    std::optional<int> parse(int argc, const char* const* argv);

    bool takesWork() const { return path.find("{ms}") != std::string::npos; }
};

/// `path` with `{ms}` replaced by that many milliseconds.
std::string withWork(const std::string& path, Duration work);

}  // namespace lifecycle::check
