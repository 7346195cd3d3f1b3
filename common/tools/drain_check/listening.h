#pragma once

#include <sys/types.h>

#include <set>
#include <vector>

#include "process_table.h"

namespace lifecycle::check {

/// Who listens on a port.
struct Listening {
    std::set<unsigned long> inodes;  ///< of the listening sockets: the same one is still the same socket
    std::set<pid_t> holders;         ///< processes that have one of them open

    bool empty() const { return holders.empty(); }
};

/// Which of these processes listen on the TCP port, and by which sockets. Reads /proc, so nothing
/// connects, and no other process on that port is taken for one of them. Source: proc(5).
Listening listeningOn(int port, const std::vector<test::ProcessEntry>& processes);

}  // namespace lifecycle::check
