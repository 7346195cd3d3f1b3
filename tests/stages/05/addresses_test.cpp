// The addresses that stage 05 listens on, and what happens to the paths among them.

#include "catch.h"
#include "options_check.h"
#include "port_reservation.h"
#include "restart_server.h"
#include "stage.h"

#include "lifecycle/file_descriptor.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::FileDescriptor;

namespace {

namespace fs = std::filesystem;

bool accepts(int family, const sockaddr* address, socklen_t size) {
    const FileDescriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(socket.get(), address, size) == 0;
}

bool pathAccepts(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return accepts(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

bool ipv6Accepts(int port) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    address.sin6_port = htons(static_cast<std::uint16_t>(port));
    return accepts(AF_INET6, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

bool machineHasIpv6() {
    const FileDescriptor socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

/// It cannot start: exit code 69.
void checkUnavailable(const std::vector<std::string>& options) {
    const Process process(stage("05_hot_restart", options));
    CHECK(process.waitForExit(30s).code == 69);
}

} // namespace

TEST_CASE("05: a service that ends leaves the path of its socket to the service that took it since") {
    const TempDir directory;
    const std::string path = directory.path() / "socket";
    for (const std::string control : {"--control=parent-exits", "--control=stable-pid"}) {
        RestartServer first({"--listen", path, control, "--rollback-window=0s"});
        fs::remove(path);
        RestartServer second({"--listen", path, control, "--rollback-window=0s"});
        first.restart(2); // the generation that has got the socket by inheritance does not remove it either
        CHECK(first.end() == 0);
        CHECK(pathAccepts(path));
        CHECK(second.end() == 0);
        CHECK(fs::is_empty(directory.path()));
    }
}

TEST_CASE("05: a start that fails after the bind leaves no path behind") {
    const TempDir directory;
    const std::string path = directory.path() / "socket";
    for (const std::string control : {"--control=parent-exits", "--control=stable-pid"}) {
        checkUnavailable({"--port=0", "--listen", path, "--pid-file=/nowhere/pid", control});
        CHECK(fs::is_empty(directory.path()));
        checkUnavailable({"--port=0", "--listen", path, "--listen=/nowhere/socket", control});
        CHECK(fs::is_empty(directory.path()));
    }
}

TEST_CASE("05: 250 long paths are handed over and the 251st is refused at the start") {
    const TempDir directory;
    const std::string prefix = directory.path().string() + "/" + std::string(60, 'x');
    std::vector<std::string> options;
    for (int i = 0; i < 250; ++i) {
        options.push_back("--listen=" + prefix + std::to_string(i));
    }
    RestartServer server(options);
    server.restart(2);
    CHECK(pathAccepts(prefix + "249"));
    CHECK(server.end() == 0);
    CHECK(fs::is_empty(directory.path()));

    options.push_back("--listen=" + prefix);
    checkRefused(stage("05_hot_restart", options), {"--listen", "at most 250"});
}

TEST_CASE("05: an IPv4 address and the IPv6 one of the same port are both served") {
    if (!machineHasIpv6()) {
        std::cout << "skipped: this machine has no ::1" << std::endl;
        return;
    }
    const PortReservation reservation;
    const int port = reservation.port();
    for (const std::string address : {"0.0.0.0", "127.0.0.1"}) {
        RestartServer server({"--address", address, "--port", std::to_string(port),
                              "--listen", "[::]:" + std::to_string(port), "--rollback-window=0s"});
        server.restart(2);
        CHECK_FALSE(Connection::to(port).error());
        CHECK(ipv6Accepts(port));
        CHECK(server.end() == 0);
    }
}
