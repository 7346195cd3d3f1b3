// What it costs to count a request: Gate enter + leave, against the two atomic additions that no
// way of counting can do without.

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <thread>

#include "figures.h"
#include "lifecycle/gate.h"

namespace lifecycle::bench {
namespace {

constexpr int operations = 2'000'000;

class CountWithGate {
public:
    void operator()() { [[maybe_unused]] const auto guard = gate_.tryEnter(); }

private:
    Gate gate_;
};

class CountWithAtomic {
public:
    void operator()() {
        count_.fetch_add(1, std::memory_order_acquire);
        count_.fetch_sub(1, std::memory_order_acq_rel);
    }

private:
    std::atomic<std::uint64_t> count_ = 0;
};

using Seconds = std::chrono::duration<double>;

template <typename Count>
double nanosecondsOnOneThread() {
    Count count;
    const auto begin = Clock::now();
    for (int i = 0; i < operations; ++i) {
        count();
    }
    return Seconds(Clock::now() - begin).count() * 1e9 / operations;
}

/// What one operation takes while another thread does the same on the same gate.
template <typename Count>
double nanosecondsOnTwoThreads() {
    Count count;
    std::barrier together(2);
    const auto work = [&] {
        together.arrive_and_wait();
        for (int i = 0; i < operations; ++i) {
            count();
        }
    };
    std::jthread other(work);
    const auto begin = Clock::now();
    work();
    other.join();
    return Seconds(Clock::now() - begin).count() * 1e9 / operations;
}

Figure compare(Figure figure, double (*withGate)(), double (*withAtomic)(),
               std::optional<Target> target, const Effort& effort) {
    Sample gate, atomic;
    for (int run = 0; run < effort.runs(25, 5); ++run) {
        gate.add(withGate());
        atomic.add(withAtomic());
    }
    figure.lines = {medianLine("gate, enter + leave", "ns", gate),
                    medianLine("two atomic additions", "ns", atomic),
                    medianLine("gate : additions, pair by pair", "", gate.dividedBy(atomic),
                               target)};
    return figure;
}

}  // namespace

Figure gateCost(const Effort& effort) {
    return compare({"gate", "to count a request, on one thread"},
                   nanosecondsOnOneThread<CountWithGate>, nanosecondsOnOneThread<CountWithAtomic>,
                   atMost(3), effort);
}

Figure contendedGateCost(const Effort& effort) {
    return compare({"gate_contended", "to count a request, two threads on one gate"},
                   nanosecondsOnTwoThreads<CountWithGate>, nanosecondsOnTwoThreads<CountWithAtomic>,
                   std::nullopt, effort);
}

}  // namespace lifecycle::bench
