// What it costs a process with much memory to start another one.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <ratio>
#include <stdexcept>

#include "figures.h"
#include "lifecycle/duration.h"
#include "lifecycle/spawn.h"

namespace lifecycle::bench {
namespace {

constexpr std::size_t mebibyte = 1024 * 1024;
constexpr int startsPerRun = 20;

/// Memory that is really there, not only promised.
class ResidentMemory {
public:
    explicit ResidentMemory(std::size_t size)
        : size_(size),
          memory_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
        if (memory_ == MAP_FAILED) {
            throw std::runtime_error("this machine has not that much memory");
        }
        ::madvise(memory_, size_, MADV_NOHUGEPAGE);  // as of a heap that has grown bit by bit
        for (std::size_t at = 0; at < size_; at += 4096) {
            static_cast<volatile char*>(memory_)[at] = 1;
        }
    }
    ~ResidentMemory() { ::munmap(memory_, size_); }
    ResidentMemory(const ResidentMemory&) = delete;
    ResidentMemory& operator=(const ResidentMemory&) = delete;

private:
    const std::size_t size_;
    void* const memory_;
};

double microsecondsSince(TimePoint begin) {
    return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

template <typename Start>
void measure(Sample& sample, int starts, Start start) {
    for (int i = 0; i < starts; ++i) {
        const TimePoint begin = Clock::now();
        const pid_t pid = start();
        sample.add(microsecondsSince(begin));
        ::waitpid(pid, nullptr, 0);
    }
}

pid_t spawnTrue() {
    return spawn({"/bin/true"});
}

pid_t forkTrue() {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::execl("/bin/true", "true", nullptr);
        ::_exit(127);
    }
    return pid;
}

bool hasFreeMemory(std::size_t size) {
    return static_cast<std::size_t>(::sysconf(_SC_AVPHYS_PAGES)) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) >
           size + size / 2;
}

}  // namespace

Figure spawnCost(const Effort& effort) {
    constexpr std::size_t little = 16 * mebibyte;
    constexpr std::size_t much = 4096 * mebibyte;
    if (!hasFreeMemory(much)) {
        throw std::runtime_error("needs 6 GiB of free memory");
    }
    Sample spawnLittle, spawnMuch, forkLittle, forkMuch;
    for (int run = 0; run < effort.runs(5, 1); ++run) {
        {
            const ResidentMemory memory(little);
            measure(spawnLittle, startsPerRun, spawnTrue);
            measure(forkLittle, startsPerRun, forkTrue);
        }
        const ResidentMemory memory(much);
        measure(spawnMuch, startsPerRun, spawnTrue);
        measure(forkMuch, 2, forkTrue);
    }
    return {.name = "spawn",
            .meaning = "starting a program from a process with 16 MiB and with 4 GiB of resident memory",
            .lines = {medianLine("spawn, 16 MiB", "us", spawnLittle), medianLine("spawn, 4 GiB", "us", spawnMuch),
                      ratioLine("spawn, 4 GiB : 16 MiB", spawnMuch, spawnLittle, atMost(1.2)),
                      medianLine("fork, 16 MiB", "us", forkLittle), medianLine("fork, 4 GiB", "us", forkMuch)}};
}

}  // namespace lifecycle::bench
