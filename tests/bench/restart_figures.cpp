// What a restart costs the clients that are busy meanwhile, and how long it takes.

#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "figures.h"
#include "load.h"
#include "process.h"
#include "running_server.h"
#include "temp_dir.h"

namespace lifecycle::bench {
namespace {

using namespace std::chrono_literals;
using test::Clock;

constexpr int clients = 8;

/// Stage 05 with clients that never pause for long.
class RestartedServer {
public:
    RestartedServer()
        : server_({STAGE_BIN_DIR "/05_hot_restart", "--port=0", "--work=0s", "--rollback-window=0s", "--pid-file",
                   pidFile()}),
          load_({.port = static_cast<int>(server_.waitForEvent("ready").number("port")),
                 .clients = clients,
                 .method = "POST",
                 .target = "/echo",
                 .body = "a body of some bytes",
                 .thinkTime = 1ms,
                 .untilRefused = false}) {}

    bool answers(std::size_t more) const {
        const std::size_t before = load_.answered();
        return test::eventually([&] { return load_.answered() >= before + more; }, 20s);
    }

    /// From SIGHUP until the new process has said that it serves.
    double restart() {
        std::ifstream file(pidFile());
        pid_t pid = 0;
        file >> pid;
        const auto begin = Clock::now();
        ::kill(pid, SIGHUP);
        ++generation_;
        return milliseconds(server_.waitForEvent("ready", 30s, [this](const test::Event& event) {
                                return event.number("generation") == generation_;
                            }).arrivedAt - begin);
    }

    /// The longest time in which no client got an answer, while `action` runs and a little longer.
    template <typename Action>
    double longestGap(Action action) {
        std::atomic<bool> stop = false;
        Clock::duration longest{};
        std::thread watch([&] {
            std::size_t seen = load_.answered();
            for (auto last = Clock::now(); !stop; std::this_thread::sleep_for(50us)) {
                if (load_.answered() != seen) {
                    seen = load_.answered();
                    longest = std::max(longest, Clock::now() - last);
                    last = Clock::now();
                }
            }
        });
        action();
        std::this_thread::sleep_for(100ms);  // for the clients of the old process to have moved
        answers(1);  // a gap that is still open counts until it ends
        stop = true;
        watch.join();
        return milliseconds(longest);
    }

    double lost() {
        load_.stop();
        const test::LoadResult result = load_.wait();
        return static_cast<double>(result.lost + result.refused + result.failedConnects + result.timedOut);
    }

private:
    std::string pidFile() const { return directory_.path() / "pid"; }

    test::TempDir directory_;
    test::Process server_;
    test::LoadClients load_;
    int generation_ = 1;
};

}  // namespace

Figure restarts(const Effort& effort) {
    const int runs = effort.runs(20, 4);
    Figure figure{"restart", "a restart under " + std::to_string(clients) +
                                 " keep-alive clients; lost is the sum of " + std::to_string(runs)};
    RestartedServer server;
    Sample duration, gap, gapWithout;
    for (int run = 0; run < runs; ++run) {
        if (!server.answers(200)) {
            throw std::runtime_error("stage 05 does not answer");
        }
        gapWithout.add(server.longestGap([] {}));
        gap.add(server.longestGap([&] { duration.add(server.restart()); }));
    }
    Sample lost;
    lost.add(server.lost());
    figure.lines = {medianLine("HUP to ready", "ms", duration),
                    medianLine("longest gap in a restart", "ms", gap),
                    medianLine("longest gap without", "ms", gapWithout),
                    sumLine("lost", "lost", lost, atMost(0))};
    figure.notes.push_back("a gap is a time in which no client got an answer; they pause for 1 ms between two "
                           "requests");
    return figure;
}

}  // namespace lifecycle::bench
