#include "running_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <fstream>
#include <ratio>
#include <stdexcept>
#include <system_error>

#include "http_client.h"
#include "lifecycle/file_descriptor.h"
#include "process_table.h"

namespace lifecycle::bench {
namespace {

using namespace std::chrono_literals;

/// Far more than any start takes, for a machine that has much else to do.
constexpr auto startLimit = 30s;

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
    if (port != 0) {  // the bench does not read it
        const std::vector<std::string> silenced{"sh", "-c", "exec \"$@\" 2>/dev/null", "sh"};
        command.insert(command.begin(), silenced.begin(), silenced.end());
    }
    return command;
}

/// As many as thousands of clients need, or as there may be.
test::ProcessOptions manyDescriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return {.limits = {{RLIMIT_NOFILE, std::min<rlim_t>(limit.rlim_max, 12'000)}}};
}

}  // namespace

RunningServer::RunningServer(const Contestant& contestant, Output output)
    : port_(output == Output::captured && contestant.tellsReady ? 0 : freePort()),
      signal_(contestant.signal),
      process_(commandLine(contestant, port_), manyDescriptors()) {
    if (port_ == 0) {
        port_ = static_cast<int>(process_.waitForEvent("ready", startLimit).number("port"));
    } else if (!test::eventually([this] { return answers(); }, startLimit)) {
        throw std::runtime_error(contestant.name + " does not answer");
    }
}

/// A port that is open says little: behind it a server may still be starting.
bool RunningServer::answers() const {
    return test::get(port_, "/hello?work=0s", 5s).status == 200;
}

std::vector<pid_t> RunningServer::processes() const {
    std::vector<pid_t> pids;
    for (const test::ProcessEntry& process : test::processTable()) {
        if (process.group == pid() && process.state != 'Z') {
            pids.push_back(process.pid);
        }
    }
    return pids;
}

test::Clock::duration RunningServer::cpuTime() const {
    test::Clock::duration all{};
    for (const pid_t process : processes()) {
        clockid_t clock;
        timespec spent;
        if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &spent) != 0) {
            throw std::system_error(errno, std::generic_category(), "processor time of " + std::to_string(process));
        }
        all += std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
    }
    return all;
}

double RunningServer::residentMemory() const {
    double kilobytes = 0;
    for (const pid_t process : processes()) {
        std::ifstream status("/proc/" + std::to_string(process) + "/status");
        double here = 0;
        for (std::string word; status >> word;) {
            if (word == "VmRSS:" && status >> here) {
                kilobytes += here;
            }
        }
    }
    return kilobytes / 1024;
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
