#include "settings.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include <Poco/AutoPtr.h>
#include <Poco/Exception.h>
#include <Poco/Util/PropertyFileConfiguration.h>

#include "lifecycle/exit_code.h"
#include "lifecycle/options.h"

namespace stage {
namespace {

using Poco::Net::SocketAddress;

/// "127.0.0.1:8080", "[::1]:8080" or "/run/service.sock".
SocketAddress parseAddress(const std::string& text) {
    try {
        if (text.starts_with('/')) {
            return SocketAddress(SocketAddress::UNIX_LOCAL, text);
        }
        if (text.find(':') != std::string::npos) {
            return SocketAddress(text);
        }
    } catch (const Poco::Exception&) {
    }
    throw std::invalid_argument("\"" + text + "\" is not an address: write HOST:PORT, [IPV6]:PORT or /PATH");
}

}  // namespace

std::optional<int> Settings::parse(int argc, const char* const* argv) {
    lifecycle::Options options("05_hot_restart", "serves HTTP, and replaces itself on SIGHUP without losing a request");
    options.text("address", address, "address to listen on");
    options.port("port", port, "port to listen on, 0 for a free one");
    options.value("listen", "ADDRESS", "none", "listen there, too: HOST:PORT, [IPV6]:PORT or /PATH; repeatable",
                  [this](const std::string& text) { listen.push_back(parseAddress(text)); });
    options.duration("work", work, "how long GET / and GET /hello work");
    options.text("message", message, "what GET / answers");
    options.text("config", config, "properties file with message, work and fault, read at every start");
    options.text("pid-file", pidFile, "file that holds the pid to send signals to");
    options.duration("start-timeout", startTimeout, "time for a new generation to serve before it is killed");
    options.duration("drain-timeout", drainTimeout, "time for requests in flight before they are cut");
    options.duration("keepalive-grace", keepAliveGrace, "time for idle connections to send one more request");
    bool windowIsGiven = false;
    options.value("rollback-window", "DURATION", lifecycle::formatDuration(rollbackWindow),
                  "time to take the clients back if a new generation dies, --drain-timeout at most",
                  [&](const std::string& text) {
                      rollbackWindow = lifecycle::parseDuration(text);
                      windowIsGiven = true;
                  });
    options.choice("control", control, {"parent-exits", "stable-pid"}, "whether a process stays that keeps its pid");
    options.choice("second-term", secondTerm, {"force", "ignore"}, "what a second TERM does; INT and QUIT always force");
    if (const auto exitCode = options.parse(argc, argv)) {
        return exitCode;
    }
    if (drainTimeout < rollbackWindow && windowIsGiven) {
        std::fputs("05_hot_restart: --drain-timeout must not be less than --rollback-window\n", stderr);
        return lifecycle::exitUsage;
    }
    rollbackWindow = std::min(rollbackWindow, drainTimeout);
    return std::nullopt;
}

void Settings::readConfig() try {
    if (config.empty()) {
        return;
    }
    const Poco::AutoPtr<Poco::Util::PropertyFileConfiguration> file(
        new Poco::Util::PropertyFileConfiguration(config));
    Poco::Util::AbstractConfiguration::Keys keys;
    file->keys(keys);
    for (const std::string& key : keys) {
        const std::string value = file->getRawString(key);
        if (key == "message") {
            message = value;
        } else if (key == "work") {
            work = lifecycle::parseDuration(value);
        } else if (key == "fault") {
            fault = Fault::parse(value);
        } else {
            throw std::invalid_argument("\"" + key + "\" is not one of message, work, fault");
        }
    }
} catch (const std::invalid_argument& error) {
    throw std::invalid_argument(config + ": " + error.what());
} catch (const Poco::Exception& error) {
    throw std::invalid_argument("cannot read " + config + ": " + error.displayText());
}

std::vector<lifecycle::ListeningSocket> Settings::openSockets() const {
    std::vector<lifecycle::ListeningSocket> sockets;
    sockets.push_back(lifecycle::ListeningSocket::listenOn({address, port}));
    for (const SocketAddress& one : listen) {
        sockets.push_back(lifecycle::ListeningSocket::listenOn(one));
    }
    return sockets;
}

}  // namespace stage
