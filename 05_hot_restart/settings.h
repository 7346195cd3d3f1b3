#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <Poco/Net/SocketAddress.h>

#include "fault.h"
#include "lifecycle/duration.h"
#include "lifecycle/listening_socket.h"

namespace stage {

/// The command line of this stage, and its configuration file.
struct Settings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    std::vector<Poco::Net::SocketAddress> listen;  ///< in addition
    lifecycle::Duration work = std::chrono::seconds(5);
    std::string message = "hello";
    std::string config;
    std::string pidFile;
    lifecycle::Duration startTimeout = std::chrono::seconds(30);
    lifecycle::Duration drainTimeout = std::chrono::minutes(1);
    lifecycle::Duration keepAliveGrace = std::chrono::seconds(5);
    lifecycle::Duration keepAliveTimeout = std::chrono::seconds(75);
    lifecycle::Duration rollbackWindow = std::chrono::seconds(5);
    std::string control = "parent-exits";
    std::string log;        ///< a file instead of stderr
    std::string restartOf;  ///< the pid file of another service
    std::string secondTerm = "force";  ///< or "ignore"
    Fault fault;

    /// As Options::parse: an exit code if the program should exit now.
    std::optional<int> parse(int argc, const char* const* argv);

    /// Reads the file that --config names, if any; its values take precedence over the options. Throws
    /// std::invalid_argument with a sentence for the user.
    void readConfig();

    /// Listens on all of these addresses, or on none. Throws StartError.
    std::vector<lifecycle::ListeningSocket> openSockets() const;

    /// A process that was told to shut down is killed after this time: 5 s more than it may drain.
    lifecycle::Duration killTimeout() const { return lifecycle::addSaturated(drainTimeout, std::chrono::seconds(5)); }

    bool stablePid() const { return control == "stable-pid"; }
};

/// When the service shuts down: removes the paths of its Unix sockets.
void removePaths(const std::vector<lifecycle::ListeningSocket>& sockets) noexcept;

}  // namespace stage
