#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lifecycle::bench {

/// A server that is rehearsed for the scoreboard.
struct Peer {
    std::string name;
    bool ours = false;                ///< a server of this project, that should pass everything
    std::vector<std::string> options; ///< of drain_check
    std::vector<std::string> command;
};

struct Peers {
    std::vector<Peer> all;
    std::vector<std::string> leftOut;  ///< what is not here, and which package has it
};

/// Our stages, plain Poco, and whatever of Go, Boost.Beast, cpp-httplib, Python, Node, nginx and HAProxy is installed. Programs
/// are built and configurations written in `folder`; `backend` is the port of a server that the
/// proxies have behind them.
Peers availablePeers(const std::filesystem::path& folder, int backend);

}  // namespace lifecycle::bench
