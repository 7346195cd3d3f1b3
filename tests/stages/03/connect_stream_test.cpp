// Clients keep connecting, sending and leaving while the server shuts down with little CPU time, as in a container
// with a quota. The test gives it a share by stopping and continuing it, so the stream may be a small one.

#include "catch.h"
#include "hello_server.h"
#include "time_limit.h"

#include "lifecycle/file_descriptor.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// While it lives a process runs for 4 ms of every 40.
class SmallShare {
public:
    explicit SmallShare(pid_t pid)
        : process_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))), thread_([this] { run(); }) {}
    ~SmallShare() {
        over_ = true;
        thread_.join();
    }

    SmallShare(const SmallShare&) = delete;
    SmallShare& operator=(const SmallShare&) = delete;

private:
    void run() {
        while (!over_) {
            send(SIGSTOP);
            std::this_thread::sleep_for(36ms); // not to wait for anything: this is the quota
            send(SIGCONT);
            std::this_thread::sleep_for(4ms);
        }
    }
    void send(int signal) { ::syscall(SYS_pidfd_send_signal, process_.get(), signal, nullptr, 0); }

    const lifecycle::FileDescriptor process_; // its number may be another process's soon
    std::atomic<bool> over_ = false;
    std::thread thread_;
};

/// While it lives, clients connect, send a request and leave, one after the other, in a few threads.
class ConnectStream {
public:
    explicit ConnectStream(int port) {
        for (int i = 0; i < 3; ++i) {
            threads_.emplace_back([this, port] {
                while (!over_) {
                    Connection client = Connection::to(port, 200ms);
                    if (!client.error()) {
                        client.send(httpRequest("GET", "/hello?work=0ms"));
                        ++sent_;
                    } else if (client.error() == std::errc::connection_refused) {
                        ++refused_;
                        std::this_thread::sleep_for(1ms);
                    }
                }
            });
        }
    }
    ~ConnectStream() {
        over_ = true;
        for (std::thread& thread : threads_) {
            thread.join();
        }
    }

    int sent() const { return sent_; }
    int refused() const { return refused_; }

private:
    std::atomic<bool> over_ = false;
    std::atomic<int> sent_ = 0;
    std::atomic<int> refused_ = 0;
    std::vector<std::thread> threads_;
};

} // namespace

TEST_CASE("03: a stream of connects does not hold the process beyond its deadline, nor keep others from their response") {
    const auto timeout = limit(700ms);
    const auto grace = limit(600ms);
    HelloServer server({"--timeout", std::to_string(timeout.count()) + "ms", "--keepalive-grace",
                        std::to_string(grace.count()) + "ms"});
    std::vector<Connection> kept;
    for (int i = 0; i < 10; ++i) {
        kept.push_back(server.idle());
    }
    const ConnectStream stream(server.port());
    REQUIRE(eventually([&] { return stream.sent() > 500; }, 10s));
    Clock::time_point begin;
    {
        const SmallShare share(server.pid());
        REQUIRE(eventually([&, before = stream.sent()] { return stream.sent() > before + 300; }, 10s));
        begin = server.stop();
        server.waitForEvent("readiness.off");
        for (Connection& connection : kept) {
            CHECK_FALSE(connection.send(httpRequest("GET", "/hello?work=0ms")));
        }
        for (Connection& connection : kept) {
            CHECK(connection.readResponse(20s).status == 200);
        }
        const ExitStatus end = server.waitForExit(60s);
        CHECK(end.at - begin <= timeout + 3s * slowdown); // it runs for a tenth of the time, a busy machine for less
        CHECK((end.code == 0 || end.code == 75));
    }
    // Clients that were not served in time count as cut, and new ones were refused long before the exit.
    CHECK((server.exitStatus()->code == 0) == (server.summary().number("cut") == 0));
    CHECK(stream.refused() > 0);
}
