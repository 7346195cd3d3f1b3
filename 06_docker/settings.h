#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lifecycle/duration.h"

namespace stage {

/// The settings of this stage: from the command line and from the environment, where containers
/// keep theirs.
struct Settings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    std::string redis;  ///< HOST:PORT; empty: count in memory
    lifecycle::Duration work = std::chrono::seconds(5);
    lifecycle::Duration timeout = std::chrono::seconds(8);
    lifecycle::Duration lameDuck{};
    lifecycle::Duration keepAliveGrace = std::chrono::milliseconds(100);
    lifecycle::Duration keepAliveTimeout = std::chrono::seconds(75);
    lifecycle::Duration grace = std::chrono::seconds(10);  ///< 0: not told
    std::string mode = "respond-first";
    std::string secondTerm = "force";  ///< or "ignore"
    unsigned jobs = 4096;
    bool naive = false;
    bool healthcheck = false;

    /// As Options::parse: an exit code if the program should end now.
    std::optional<int> parse(int argc, const char* const* argv);
};

}  // namespace stage
