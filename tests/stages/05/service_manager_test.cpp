#include "catch.h"
#include "proc.h"
#include "restart_server.h"
#include "stage.h"

#include "lifecycle/file_descriptor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::FileDescriptor;

namespace {

/// The socket of a service manager, and what a service has told it.
class NotifySocket {
public:
    NotifySocket() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
        REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }

    std::string path() const { return directory_.path() / "notify"; }
    ProcessOptions environment() const { return {.environment = {"NOTIFY_SOCKET=" + path()}}; }

    /// The next message; empty if none comes.
    std::string next() const {
        char text[1024];
        ssize_t size = -1;
        eventually(
            [&] {
                size = ::recv(socket_.get(), text, sizeof text, MSG_DONTWAIT);
                return size >= 0;
            },
            10s);
        return {text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
    }

    /// A message that begins like this comes, sooner or later.
    bool waitFor(const std::string& begin) const {
        for (std::string message = next(); !message.empty(); message = next()) {
            if (message.find(begin) == 0) {
                return true;
            }
        }
        return false;
    }

    void forgetAll() const {
        while (!isSilent()) {
        }
    }

    /// Nothing more has been told.
    bool isSilent() const {
        char byte;
        return ::recv(socket_.get(), &byte, 1, MSG_DONTWAIT) == -1;
    }

private:
    TempDir directory_;
    FileDescriptor socket_;
};

std::string ready(long long pid, const std::string& status) {
    return "MAINPID=" + std::to_string(pid) + "\nREADY=1\nSTATUS=" + status;
}

const std::string stopping = "STOPPING=1\nSTATUS=shutting down";

const std::string reloading = "RELOADING=1\nMONOTONIC_USEC=";

/// A socket of 127.0.0.1 that a program started from here inherits, unless it is told not to listen.
FileDescriptor inheritableSocket(bool listens, int* port = nullptr) {
    FileDescriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(socket.get(), generic, size) == 0);
    REQUIRE((!listens || ::listen(socket.get(), 100) == 0));
    ::getsockname(socket.get(), generic, &size);
    if (port != nullptr) {
        *port = ntohs(address.sin_port);
    }
    return socket;
}

/// The program, started as systemd does: the socket is descriptor 3, and LISTEN_PID is its pid.
std::vector<std::string> activated(const FileDescriptor& socket,
                                   const std::string& variables = "LISTEN_PID=$$ LISTEN_FDS=1") {
    return {"/bin/sh", "-c", "exec 3<&" + std::to_string(socket.get()) + "; " + variables + " exec \"$0\" \"$@\"",
            stage("05_hot_restart").front()};
}

void checkStartRefused(const std::vector<std::string>& command, const std::string& part) {
    std::vector<std::string> all = command;
    all.push_back("--port=0");
    const Process process(all);
    CHECK(process.waitForExit(30s).code == 69);
    REQUIRE(process.standardError().size() == 1);
    INFO(process.standardError()[0].text);
    CHECK(process.standardError()[0].text.find(part) != std::string::npos);
}

} // namespace

TEST_CASE("05: the service manager is told of each step and of the end once by the last process") {
    const NotifySocket manager;
    RestartServer server({"--rollback-window=100ms"}, manager.environment());
    CHECK(manager.next() == ready(server->pid(), "generation 1 serves"));
    const auto second = server.restart(2).number("pid");
    CHECK(manager.next().find(reloading) == 0);
    CHECK(manager.next() == ready(second, "generation 2 serves"));

    server.configure("fault=exit7\n");
    server.signal(SIGHUP);
    CHECK(manager.next().find(reloading) == 0);
    CHECK(manager.next() == ready(second, "generation 2 keeps serving: restart failed: exit code 7"));
    server->waitForExit(10s);
    CHECK(manager.isSilent()); // the old one has ended, and the service has not
    CHECK(server.end() == 0);
    CHECK(manager.next() == stopping);
    CHECK(manager.isSilent());
}

TEST_CASE("05: with stable-pid the service manager hears of one process") {
    const NotifySocket manager;
    RestartServer server({"--rollback-window=100ms", "--control=stable-pid"}, manager.environment());
    CHECK(manager.next() == ready(server->pid(), "generation 1 serves"));
    server.restart(2);
    CHECK(manager.next().find(reloading) == 0);
    CHECK(manager.next() == ready(server->pid(), "generation 2 serves"));
    server->signal(SIGTERM);
    CHECK(server->waitForExit(30s).code == 0);
    CHECK(manager.next() == stopping);
    CHECK(manager.isSilent());
}

TEST_CASE("05: the service manager is told of a refused and of a rolled back restart and who serves on") {
    for (const std::string control : {"parent-exits", "stable-pid"}) {
        CAPTURE(control);
        const NotifySocket manager;
        RestartServer server({"--rollback-window=10s", "--drain-timeout=10s", "--control", control},
                             manager.environment());
        const std::string pid = "MAINPID=" + std::to_string(server->pid()) + "\n";
        manager.next();
        server.configure("fault=ready-then-die=1ms\n");
        for (int rollback = 1; rollback <= 5; ++rollback) {
            server.signal(SIGHUP);
            CHECK(manager.next().find(reloading) == 0);
            manager.next(); // it serves
            const std::string last = manager.next();
            CHECK(last.find(pid + "READY=1\nSTATUS=generation 1 serves again: ") == 0);
            server.waitForEvents("restart.rollback", static_cast<std::size_t>(rollback));
        }
        server.signal(SIGHUP);
        CHECK(manager.next().find(reloading) == 0);
        const std::string refused = manager.next();
        CHECK(refused.find(pid + "READY=1\nSTATUS=") == 0);
        CHECK(refused.find("restart refused: 5 new generations in a row have died") != std::string::npos);
        CHECK(server.end() == 0);
    }
}

TEST_CASE("05: the watchdog hears of the process that is the service until it is gone") {
    for (const std::string control : {"parent-exits", "stable-pid"}) {
        CAPTURE(control);
        const NotifySocket manager;
        ProcessOptions options = manager.environment();
        options.environment.push_back("WATCHDOG_USEC=20000");
        RestartServer server({"/bin/sh", "-c", "WATCHDOG_PID=$$ exec \"$0\" \"$@\"", stage("05_hot_restart").front()},
                             {"--rollback-window=0s", "--control", control}, options);
        CHECK(manager.waitFor("WATCHDOG=1"));
        server.restart(2);
        if (control == "parent-exits") {
            server->waitForExit(10s);
        }
        manager.forgetAll();
        CHECK(manager.waitFor("WATCHDOG=1"));
        CHECK(server.end() == 0);
    }
    const NotifySocket manager;
    ProcessOptions options = manager.environment();
    options.environment.insert(options.environment.end(), {"WATCHDOG_USEC=20000", "WATCHDOG_PID=1"});
    RestartServer server({}, options); // not meant for it
    CHECK(manager.next() == ready(server->pid(), "generation 1 serves"));
    CHECK(server.end() == 0);
    CHECK(manager.next() == stopping);
}

TEST_CASE("05: a long drain asks the service manager for more time and says what it waits for") {
    for (const std::string control : {"parent-exits", "stable-pid"}) {
        CAPTURE(control);
        const NotifySocket manager;
        RestartServer server({"--control", control}, manager.environment());
        Connection client = server.connect();
        client.send(httpRequest("GET", "/hello?work=10m"));
        server.waitForEvents("request.begin", 1);
        server.signal(SIGTERM);
        CHECK(manager.waitFor("EXTEND_TIMEOUT_USEC=15000000\nSTATUS=shutting down: 1 "));
        server->signal(SIGUSR2);
        CHECK(server->waitForExit(10s).code == 75);
    }
}

TEST_CASE("05: a socket of the service manager is served on and handed over like its own") {
    for (const std::string control : {"parent-exits", "stable-pid"}) {
        CAPTURE(control);
        int port = 0;
        FileDescriptor socket = inheritableSocket(true, &port);
        RestartServer server(activated(socket), {"--rollback-window=100ms", "--control", control}, {});
        socket.reset();
        CHECK(server.port() == port);
        server.restart(2);
        CHECK(server.greeting().find("generation=2") != std::string::npos);
        server.signal(SIGTERM);
        CHECK(server->waitForExit(30s).code == 0);
        CHECK(eventually([&] { return Connection::to(port).error() == std::errc::connection_refused; }, 10s));
    }
}

TEST_CASE("05: a socket of the service manager outlives the service and who comes meanwhile is served by the next") {
    for (const std::string control : {"parent-exits", "stable-pid"}) {
        CAPTURE(control);
        int port = 0;
        const FileDescriptor socket = inheritableSocket(true, &port);
        const std::vector<std::string> options{"--rollback-window=100ms", "--control", control};
        {
            RestartServer server(activated(socket), options, {});
            server.restart(2);
            CHECK(server.greeting().find("generation=2") != std::string::npos);
            server.signal(SIGTERM);
            CHECK(server->waitForExit(30s).code == 0);
            REQUIRE(eventually([&] { return server.pid() == 0; }, 10s));
        }
        Connection early = Connection::to(port);
        REQUIRE_FALSE(early.error());
        early.send(httpRequest("GET", "/"));
        const RestartServer next(activated(socket), options, {});
        CHECK(early.readResponse(10s).status == 200);
    }
}

TEST_CASE("05: what is handed over in a wrong way is refused with one line and code 69") {
    int port = 0;
    const FileDescriptor listening = inheritableSocket(true, &port);
    const FileDescriptor bound = inheritableSocket(false);
    const FileDescriptor file(::open("/dev/null", O_RDONLY));
    checkStartRefused(activated(bound), "descriptor 3 is no listening stream socket");
    checkStartRefused(activated(file), "descriptor 3 is no socket");
    checkStartRefused(activated(listening, "LISTEN_PID=$$ LISTEN_FDS=500"), "is not open");
    checkStartRefused(activated(listening, "LISTEN_PID=$$ LISTEN_FDS=many"), "LISTEN_FDS=many is not a number");
    checkStartRefused(activated(listening, "LISTEN_FDS=1"), "LISTEN_FDS without LISTEN_PID");

    // Meant for another process: it opens its own.
    const RestartServer server(activated(listening, "LISTEN_PID=1 LISTEN_FDS=1"), {}, {});
    CHECK(server.port() != port);
}
