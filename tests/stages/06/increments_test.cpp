// The jobs in the background, without a server around them: many threads at once.

#include "catch.h"
#include "increments.h"
#include "memory_counter.h"

#include <atomic>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>

#include "lifecycle/file_descriptor.h"

using namespace std::chrono_literals;
using lifecycle::Context;
using lifecycle::EventLog;
using lifecycle::FileDescriptor;

namespace {

struct Fixture {
    FileDescriptor nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
    EventLog events{nowhere.get()};
    stage::MemoryCounter counter;
};

/// Has counted, and has not yet reported that.
class CounterThatWaits : public stage::MemoryCounter {
public:
    bool increment(const std::string& id, const Context& context) override {
        MemoryCounter::increment(id, context);
        counted.release();
        returns.acquire();
        return true;
    }

    std::binary_semaphore counted{0};
    std::binary_semaphore returns{0};
};

} // namespace

TEST_CASE("06: requests of one and the same moment do not go beyond the limit of jobs") {
    constexpr int threads = 2;
    Fixture fixture;
    for (int round = 0; round < 300; ++round) {
        stage::Increments increments(fixture.counter, 1h, 1, fixture.events);
        std::atomic<int> taken = 0;
        std::atomic<int> there = 0;
        std::vector<std::thread> clients;
        for (int i = 0; i < threads; ++i) {
            clients.emplace_back([&] {
                ++there;
                while (there < threads) { // closer together than a barrier lets them go
                }
                taken += increments.begin() ? 1 : 0;
            });
        }
        for (std::thread& client : clients) {
            client.join();
        }
        increments.abandon();
        increments.wait(Context::background());
        REQUIRE(taken == 1);
    }
}

TEST_CASE("06: a place is free again when its job is done") {
    Fixture fixture;
    stage::Increments increments(fixture.counter, 0s, 1, fixture.events);
    for (int done = 0; done < 20;) {
        done += increments.begin() ? 1 : 0;
    }
    CHECK(increments.wait(Context::background()));
    CHECK(increments.tally().applied == 20);
    CHECK(increments.tally().unapplied == 0);
}

TEST_CASE("06: what has been sent is not called lost before it is known to be applied") {
    Fixture fixture;
    CounterThatWaits counter;
    stage::Increments increments(counter, 0s, 4, fixture.events);
    REQUIRE(increments.begin());
    counter.counted.acquire();
    const stage::Increments::Tally early = increments.tally();
    CHECK(early.applied == 0);
    CHECK(early.unapplied == 1);
    CHECK(early.unconfirmed == 1);
    counter.returns.release();
    CHECK(increments.wait(Context::background()));
    CHECK(increments.tally().applied == 1);
    CHECK(increments.tally().unconfirmed == 0);
}
