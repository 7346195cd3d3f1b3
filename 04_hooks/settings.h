#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "steps/experiments.h"
#include "lifecycle/duration.h"

namespace stage {

/// The command line of this stage.
struct Settings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    std::string adminAddress = "127.0.0.1";
    std::uint16_t adminPort = 8081;
    std::string database = "orders.db";
    unsigned orderQueue = 10'000;
    unsigned threads = 256;
    unsigned queue = 1024;
    lifecycle::Duration work = std::chrono::seconds(5);
    lifecycle::Duration lameDuck{};
    lifecycle::Duration timeout = std::chrono::seconds(10);
    lifecycle::Duration keepAliveGrace = std::chrono::milliseconds(100);
    lifecycle::Duration keepAliveTimeout = std::chrono::seconds(75);
    lifecycle::Duration hookTimeout = std::chrono::seconds(30);
    lifecycle::Duration totalTimeout = std::chrono::minutes(10);
    lifecycle::Duration grace{};  ///< 0: not told
    std::string secondTerm = "force";  ///< or "ignore"
    Experiments experiments;

    /// As Options::parse: an exit code if the program should end now.
    std::optional<int> parse(int argc, const char* const* argv);
};

}  // namespace stage
