#include "settings.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include <Poco/AutoPtr.h>
#include <Poco/Exception.h>
#include <Poco/Util/AbstractConfiguration.h>
#include <Poco/Util/PropertyFileConfiguration.h>

#include "lifecycle/exit_code.h"
#include "lifecycle/options.h"
#include "lifecycle/regular_file.h"

namespace stage {
namespace {

using Poco::Net::SocketAddress;

/// A new generation inherits a descriptor for each, and gets all of them in one message.
constexpr std::size_t maxAddresses = 250;

/// For a file of a few lines.
constexpr std::size_t maxConfigSize = 1024 * 1024;

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

/// Throws std::exception with a sentence for the user.
std::string contentOf(const std::string& path) {
    const lifecycle::FileDescriptor file = lifecycle::openRegularFile(path, O_RDONLY);
    std::string content(maxConfigSize + 1, '\0');
    std::size_t size = 0;
    ssize_t got = 1;
    while (size < content.size() && got > 0) {
        got = ::read(file.get(), content.data() + size, content.size() - size);
        size += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    if (got < 0) {
        throw std::system_error(errno, std::generic_category(), "cannot read " + path);
    }
    if (size > maxConfigSize) {
        throw std::invalid_argument(path + " is larger than 1 MiB");
    }
    content.resize(size);
    return content;
}

/// [::]:P accepts IPv4 clients as well, unless another of the addresses does so at port P.
lifecycle::ListeningSocket::IPv4Clients ipv4ClientsOf(const SocketAddress& address,
                                                      const std::vector<SocketAddress>& all) {
    using enum lifecycle::ListeningSocket::IPv4Clients;
    const bool shared =
        address.family() == SocketAddress::IPv6 &&
        std::any_of(all.begin(), all.end(), [&](const SocketAddress& other) {
            return other.family() == SocketAddress::IPv4 && other.port() == address.port() && other.port() != 0;
        });
    return shared ? notByIPv6 : accepted;
}

}  // namespace

std::optional<int> Settings::parse(int argc, const char* const* argv) {
    lifecycle::Options options("05_hot_restart", "serves HTTP, and replaces itself on SIGHUP without losing a request");
    options.text("address", address, "address to listen on");
    options.port("port", port, "port to listen on, 0 for a free one");
    options.value("listen", "ADDRESS", "none", "also listen there: HOST:PORT, [IPV6]:PORT or /PATH; up to 250 times",
                  [this](const std::string& text) {
                      listen.push_back(parseAddress(text));
                      if (listen.size() > maxAddresses) {
                          throw std::invalid_argument("at most " + std::to_string(maxAddresses) + " of them");
                      }
                  });
    options.duration("work", work, "how long GET / and GET /hello work");
    options.text("message", message, "text of the response to GET /");
    options.text("config", config, "properties file with message, work and fault, read by each generation");
    options.text("pid-file", pidFile, "file that holds the pid to send signals to");
    options.duration("start-timeout", startTimeout, "time for a new generation to serve before it is killed");
    options.duration("drain-timeout", drainTimeout, "time for requests in flight before they are cut");
    options.duration("keepalive-grace", keepAliveGrace, "time for idle connections to send one more request");
    options.duration("keep-alive-timeout", keepAliveTimeout,
                     "time between two requests of a connection, 0s to close after each response");
    bool windowIsGiven = false;
    options.value("rollback-window", "DURATION", lifecycle::formatDuration(rollbackWindow),
                  "time in which the old generation serves again if the new one dies, at most --drain-timeout",
                  [&](const std::string& text) {
                      rollbackWindow = lifecycle::parseDuration(text);
                      windowIsGiven = true;
                  });
    options.choice("control", control, {"parent-exits", "stable-pid"}, "stable-pid: a supervising process keeps its pid");
    options.text("log", log, "append stderr to this file, reopened by each generation and on USR1");
    options.text("restart-of", restartOf,
                 "restart the service with this pid file, wait, and exit: 0 if the new generation serves, "
                 "70 if not, 69 if there is no service");
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

void Settings::readConfig() {
    if (config.empty()) {
        return;
    }
    std::istringstream content;
    try {
        content.str(contentOf(config));
    } catch (const std::system_error& error) {
        throw std::invalid_argument(error.what());
    }
    try {
        const Poco::AutoPtr<Poco::Util::PropertyFileConfiguration> file(
            new Poco::Util::PropertyFileConfiguration(content));
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
}

std::vector<lifecycle::ListeningSocket> Settings::openSockets() const {
    std::vector<SocketAddress> addresses{{address, port}};
    addresses.insert(addresses.end(), listen.begin(), listen.end());
    std::vector<lifecycle::ListeningSocket> sockets;
    try {
        for (const SocketAddress& one : addresses) {
            sockets.push_back(lifecycle::ListeningSocket::listenOn(one, ipv4ClientsOf(one, addresses)));
        }
    } catch (...) {
        removePaths(sockets);
        throw;
    }
    return sockets;
}

void removePaths(const std::vector<lifecycle::ListeningSocket>& sockets) noexcept {
    for (const lifecycle::ListeningSocket& socket : sockets) {
        socket.removePath();
    }
}

}  // namespace stage
