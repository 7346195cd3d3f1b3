#pragma once

#include <csignal>
#include <optional>
#include <string>
#include <vector>

namespace lifecycle::bench {

/// A server that takes part: how it is called in the table, and how it is started. All of them
/// serve /hello?work=DURATION and take `--port`.
struct Contestant {
    std::string name;
    std::vector<std::string> command;
    int signal = SIGTERM;  ///< what asks it for a graceful end
    bool tellsReady = true;  ///< it takes port 0, and writes a `ready` event with its port to stderr
};

/// Stage 03 with one of its strategies, and options of its own behind it.
Contestant stage(const std::string& strategy, const std::vector<std::string>& options = {});

/// Poco's server as it ships, without the events that both strategies of stage 03 write.
Contestant plainPoco();

inline const char* const goName = "Go net/http";

/// Go's net/http with Shutdown, built on the first call; nothing if there is no Go here.
std::optional<Contestant> goNetHttp();

/// Servers on Boost.Beast and on cpp-httplib; nothing where their packages were not installed when this was built.
std::optional<Contestant> beast();
std::optional<Contestant> httplib();

/// What to say where goNetHttp() is missing.
inline const char* const goIsMissing =
    "left out: Go's net/http, there is no Go toolchain (package golang-go)";

inline const char* const beastIsMissing = "left out: Boost.Beast (package libboost-dev, then build again)";
inline const char* const httplibIsMissing =
    "left out: cpp-httplib (packages libcpp-httplib-dev and pkg-config, then build again)";

}  // namespace lifecycle::bench
