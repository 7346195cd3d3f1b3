#pragma once

#include <mutex>

namespace lifecycle::check {

/// Ctrl-C and the like end the tool, and with it everything it has started.
///
/// Make it first thing in main, before any thread. From then on SIGINT, SIGTERM, SIGHUP and SIGQUIT
/// are taken by a thread that kills all descendants (daemons among them too: they are adopted) and
/// leaves by `_exit(128 + number)`. Against SIGKILL there is the watchdog.
class Interruption {
public:
    Interruption();

    /// To be held while a process is started, so that none is started behind the last killing, and
    /// while one is given up. Blocks for ever once there is an interruption.
    static std::unique_lock<std::timed_mutex> noneNow();
};

}  // namespace lifecycle::check
