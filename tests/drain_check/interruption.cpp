#include "interruption.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "descendants.h"
#include "lifecycle/signals.h"

namespace lifecycle::check {
namespace {

constexpr std::array signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

std::mutex& starting() {
    static std::mutex mutex;
    return mutex;
}

/// Killing a process makes its children ours; so on until all that is left are zombies, which go
/// with this process.
void killAll() {
    bool anyAlive = true;
    while (anyAlive) {
        anyAlive = false;
        for (const test::ProcessEntry& process : test::descendants()) {
            if (process.state != 'Z') {
                ::kill(process.pid, SIGKILL);
                anyAlive = true;
            }
        }
    }
}

}  // namespace

Interruption::Interruption() {
    test::adoptOrphans();
    blockSignals(signals);
    std::thread([] {
        const int number = waitForSignal(signals).number;
        starting().lock();  // for ever: nothing new is started
        killAll();
        std::quick_exit(128 + number);  // the other threads are in the middle of something
    }).detach();
}

std::unique_lock<std::mutex> Interruption::noneNow() {
    return std::unique_lock(starting());
}

}  // namespace lifecycle::check
