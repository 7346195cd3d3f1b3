#include "interruption.h"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "descendants.h"
#include "lifecycle/signals.h"
#include "lifecycle/try_lock_until.h"

namespace lifecycle::check {
namespace {

constexpr std::array signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/// How long somebody may be in the middle of starting or ending a process.
constexpr auto patience = std::chrono::seconds(10);

std::timed_mutex& starting() {
    static std::timed_mutex mutex;
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
                anyAlive = ::kill(process.pid, SIGKILL) == 0 || anyAlive;  // not those that became another user
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
        std::unique_lock lock(starting(), std::defer_lock);
        tryLockUntil(lock, Clock::now() + patience);
        lock.release();  // Forever: nothing new is started.
        killAll();
        std::quick_exit(128 + number);  // the other threads are in the middle of something
    }).detach();
}

std::unique_lock<std::timed_mutex> Interruption::noneNow() {
    return std::unique_lock(starting());
}

}  // namespace lifecycle::check
