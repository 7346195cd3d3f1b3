#include "running_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <stdexcept>
#include <system_error>

#include "http_client.h"
#include "lifecycle/file_descriptor.h"

namespace lifecycle::bench {
namespace {

using namespace std::chrono_literals;

/// A port that is free now. Somebody else may take it before the server does, so this is only for
/// servers that cannot tell which port they were given.
int freePort() {
    const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket.get(), generic, size) != 0 ||
        ::getsockname(socket.get(), generic, &size) != 0) {
        throw std::runtime_error("no free port");
    }
    return ntohs(address.sin_port);
}

std::vector<std::string> commandLine(const Contestant& contestant, int port) {
    std::vector<std::string> command = contestant.command;
    command.insert(command.end(), {"--port", std::to_string(port)});
    if (port != 0) {
        const std::vector<std::string> silenced{"sh", "-c", "exec \"$@\" 2>/dev/null", "sh"};
        command.insert(command.begin(), silenced.begin(), silenced.end());
    }
    return command;
}

test::ProcessOptions manyDescriptors() {
    return {.limits = {{RLIMIT_NOFILE, 12'000}}};
}

}  // namespace

RunningServer::RunningServer(const Contestant& contestant, Output output)
    : port_(output == Output::captured ? 0 : freePort()),
      signal_(contestant.signal),
      process_(commandLine(contestant, port_), manyDescriptors()) {
    if (output == Output::captured) {
        port_ = static_cast<int>(process_.waitForEvent("ready").number("port"));
    } else if (!test::eventually([this] { return !test::Connection::to(port_).error(); }, 10s)) {
        throw std::runtime_error(contestant.name + " does not listen");
    }
}

test::Clock::duration RunningServer::cpuTime() const {
    clockid_t clock;
    timespec spent;
    if (::clock_getcpuclockid(process_.pid(), &clock) != 0 || ::clock_gettime(clock, &spent) != 0) {
        throw std::system_error(errno, std::generic_category(), "processor time of " + std::to_string(pid()));
    }
    return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
}

test::Clock::time_point RunningServer::terminate() const {
    const auto now = test::Clock::now();
    process_.signal(signal_);
    return now;
}

void RunningServer::kill() const {
    process_.signal(SIGKILL);
}

test::Clock::time_point RunningServer::waitForExit(test::Deadline deadline) const {
    return process_.waitForExit(deadline).at;
}

double milliseconds(test::Clock::duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace lifecycle::bench
