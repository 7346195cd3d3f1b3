#include "lifecycle/batch_writer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "catch.h"
#include "deadline.h"

using namespace std::chrono_literals;
using namespace lifecycle;
using test::eventually;

namespace {

using Writer = BatchWriter<int>;
using Refusal = Writer::Refusal;

Context within(Duration time) {
    return withTimeout(Context::background(), time).context;
}

/// What has been written, by a writer that can be told to fail or to wait.
class Sink {
public:
    void write(const std::vector<int>& batch) {
        const std::unique_lock lock(blocked);
        if (fails) {
            throw std::runtime_error("no space left");
        }
        const std::lock_guard guard(mutex_);
        empty_ += batch.empty() ? 1 : 0;
        largest_ = std::max(largest_, batch.size());
        all_.insert(all_.end(), batch.begin(), batch.end());
    }

    std::vector<int> all() const { return locked(all_); }
    std::size_t largest() const { return locked(largest_); }
    int empty() const { return locked(empty_); }

    std::mutex blocked;  // while somebody else has it, a write waits
    std::atomic<bool> fails = false;

private:
    template <typename T>
    T locked(const T& value) const {
        const std::lock_guard guard(mutex_);
        return value;
    }

    mutable std::mutex mutex_;
    std::vector<int> all_;
    std::size_t largest_ = 0;
    int empty_ = 0;
};

Writer::Options into(Sink& sink) {
    return {.write = [&](const std::vector<int>& batch) { sink.write(batch); }, .retryInterval = 1ms};
}

}  // namespace

TEST_CASE("batch writer: what is accepted is written in its order, in batches of the size allowed") {
    Sink sink;
    Writer::Options options = into(sink);
    options.maxBatch = 7;
    Writer writer(options);
    std::vector<int> expected;
    for (int i = 0; i < 100; ++i) {  // before it has a thread: there is more than one batch
        CHECK(writer.tryPush(i).number == static_cast<std::uint64_t>(i));
        expected.push_back(i);
    }
    writer.start();
    REQUIRE(writer.flush(within(10s)));
    CHECK(sink.all() == expected);
    CHECK(sink.largest() == 7);
    CHECK(writer.counters().accepted == 100);
    CHECK(writer.counters().waiting == 0);
}

TEST_CASE("batch writer: a flush loses nothing of four producers, and an exit without one does") {
    for (const bool flushes : {true, false}) {
        CAPTURE(flushes);
        Sink sink;
        Writer writer(into(sink));
        std::unique_lock disk(sink.blocked);  // a slow one: it is not done when the producers are
        writer.start();
        std::atomic<std::size_t> accepted = 0;
        std::vector<std::thread> producers;
        for (int i = 0; i < 4; ++i) {
            producers.emplace_back([&] {
                for (int item = 0; item < 1'000; ++item) {
                    accepted += writer.tryPush(item).refusal == Refusal::none ? 1 : 0;
                }
            });
        }
        for (std::thread& producer : producers) {
            producer.join();
        }
        REQUIRE(accepted == 4'000);
        if (flushes) {
            disk.unlock();
            CHECK(writer.flush(within(10s)));
            CHECK(sink.all().size() == accepted);
        } else {
            CHECK(sink.all().size() < accepted);  // what an exit here would leave
            CHECK(writer.counters().waiting == accepted);
            disk.unlock();
        }
    }
}

TEST_CASE("batch writer: whoever is refused during a flush knows it, and nobody else is lost") {
    for (int round = 0; round < 20; ++round) {
        Sink sink;
        Writer writer(into(sink));
        writer.start();
        std::atomic<std::size_t> accepted = 0;
        std::vector<std::thread> producers;
        for (int i = 0; i < 4; ++i) {
            producers.emplace_back([&] {
                while (writer.tryPush(1).refusal != Refusal::closed) {
                    ++accepted;
                }
            });
        }
        REQUIRE(eventually([&] { return accepted > 100; }, 10s));
        CHECK(writer.flush(within(10s)));
        for (std::thread& producer : producers) {
            producer.join();
        }
        CHECK(sink.all().size() == writer.counters().accepted);
    }
}

TEST_CASE("batch writer: a write that fails is repeated, and nothing more is accepted until it succeeds") {
    Sink sink;
    std::mutex mutex;
    std::vector<std::string> errors;
    Writer::Options options = into(sink);
    options.errorChanged = [&](const std::string& error) {
        const std::lock_guard lock(mutex);
        errors.push_back(error);
    };
    Writer writer(options);
    writer.start();
    sink.fails = true;
    REQUIRE(writer.tryPush(1).refusal == Refusal::none);
    REQUIRE(eventually([&] { return writer.tryPush(2).refusal == Refusal::failing; }, 10s));
    CHECK(writer.error() == "no space left");
    CHECK(writer.counters().waiting >= 1);
    CHECK_FALSE(writer.flush(within(20ms)));

    sink.fails = false;
    CHECK(writer.flush(within(10s)));
    CHECK(sink.all().size() == writer.counters().accepted);
    CHECK(sink.all().front() == 1);
    CHECK(writer.error().empty());
    const std::lock_guard lock(mutex);
    CHECK(errors == std::vector<std::string>{"no space left", ""});  // once, however often it was tried
}

TEST_CASE("batch writer: it is full when that many wait, and closed after a flush") {
    Sink sink;
    Writer::Options options = into(sink);
    options.capacity = 3;
    Writer writer(options);
    for (int i = 0; i < 3; ++i) {
        CHECK(writer.tryPush(i).refusal == Refusal::none);
    }
    CHECK(writer.tryPush(3).refusal == Refusal::full);
    writer.start();
    CHECK(writer.flush(within(10s)));
    CHECK(writer.tryPush(4).refusal == Refusal::closed);
    CHECK(sink.all().size() == 3);
}

TEST_CASE("batch writer: a flush returns at its deadline with what is left, and can be called again") {
    Sink sink;
    Writer writer(into(sink));
    std::unique_lock disk(sink.blocked);
    writer.start();
    REQUIRE(writer.tryPush(1).refusal == Refusal::none);
    const TimePoint begin = Clock::now();
    CHECK_FALSE(writer.flush(within(50ms)));
    CHECK(Clock::now() - begin >= 50ms);
    CHECK(writer.counters().waiting == 1);
    disk.unlock();
    CHECK(writer.flush(within(10s)));
    CHECK(writer.counters().waiting == 0);
}

TEST_CASE("batch writer: the last step is repeated until it succeeds") {
    Sink sink;
    int tried = 0;
    Writer::Options options = into(sink);
    options.finish = [&] {
        if (++tried < 3) {
            throw std::runtime_error("a row is missing");
        }
    };
    Writer writer(options);
    writer.start();
    CHECK(writer.flush(within(10s)));
    CHECK(tried == 3);
}

TEST_CASE("batch writer: with nothing to do it writes an empty batch, and at once when woken") {
    Sink sink;
    Writer::Options options = into(sink);
    options.idleInterval = GENERATE(1ms, 1h);
    const bool often = options.idleInterval == 1ms;
    Writer writer(options);
    writer.start();
    if (!often) {
        writer.wake();
    }
    CHECK(eventually([&] { return sink.empty() > (often ? 2 : 0); }, 10s));
}

TEST_CASE("batch writer: it can start with an error, which ends when a write succeeds") {
    Sink sink;
    Writer writer(into(sink));
    sink.fails = true;
    writer.start("the database is locked");
    CHECK(writer.tryPush(1).refusal == Refusal::failing);
    sink.fails = false;
    CHECK(eventually([&] { return writer.tryPush(1).refusal == Refusal::none; }, 10s));
}

TEST_CASE("batch writer: its end writes what is left, and does not wait for what fails") {
    Sink sink;
    sink.fails = GENERATE(false, true);
    {
        Writer writer(into(sink));
        REQUIRE(writer.tryPush(1).refusal == Refusal::none);
        writer.start();
    }
    CHECK(sink.all().size() == (sink.fails ? 0 : 1));
}

TEST_CASE("batch writer: once frozen it accepts nothing, and its count stays") {
    // Never destroyed: that needs the lock that is never given back.
    auto& sink = *new Sink;
    auto& writer = *new Writer(into(sink));
    REQUIRE(writer.tryPush(1).refusal == Refusal::none);
    REQUIRE(writer.freeze(Clock::now() + 1s));
    std::thread([&writer] { static_cast<void>(writer.tryPush(2)); }).detach();
    CHECK_FALSE(eventually([&] { return writer.counters().accepted > 1; }, 50ms));
    CHECK_FALSE(writer.freeze(Clock::now() + 10ms));
}
