#include "lifecycle/batch_writer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <numeric>
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
        largest_ = std::max(largest_, batch.size());
        all_.insert(all_.end(), batch.begin(), batch.end());
    }

    std::vector<int> all() const { return locked(all_); }
    std::size_t largest() const { return locked(largest_); }

    /// Whether each number from 0 to count - 1 was written once.
    bool hasEachOnce(std::size_t count) const {
        std::vector<int> sorted = all();
        std::sort(sorted.begin(), sorted.end());
        std::vector<int> expected(count);
        std::iota(expected.begin(), expected.end(), 0);
        return sorted == expected;
    }

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
};

/// An hour of idleness: what these tests see happens because it was asked for, not by a timer.
Writer::Options into(Sink& sink) {
    return {.write = [&](const std::vector<int>& batch) { sink.write(batch); }, .retryInterval = 1ms, .idleInterval = 1h};
}

/// Four threads push the numbers from 0 to count - 1, each once.
void pushFromFourThreads(Writer& writer, int count) {
    std::vector<std::thread> producers;
    for (int first = 0; first < 4; ++first) {
        producers.emplace_back([&writer, count, first] {
            for (int number = first; number < count; number += 4) {
                static_cast<void>(writer.tryPush(number));
            }
        });
    }
    for (std::thread& producer : producers) {
        producer.join();
    }
}

}  // namespace

TEST_CASE("batch writer: what is accepted is written in its order, in batches of the size allowed") {
    Sink sink;
    Writer::Options options = into(sink);
    options.maxBatch = GENERATE(0U, 1U, 7U);
    Writer writer(options);
    std::vector<int> expected;
    std::unique_lock disk(sink.blocked);  // so that there is more than one batch
    for (int i = 0; i < 100; ++i) {
        CHECK(writer.tryPush(i).number == static_cast<std::uint64_t>(i));
        expected.push_back(i);
    }
    disk.unlock();
    REQUIRE(writer.flush(within(10s)));
    CHECK(sink.all() == expected);
    CHECK(sink.largest() == std::max<std::size_t>(options.maxBatch, 1));
    CHECK(writer.counters().accepted == 100);
    CHECK(writer.counters().waiting == 0);
}

TEST_CASE("batch writer: a flush loses nothing of four producers, and an exit without one does") {
    for (const bool flushes : {true, false}) {
        CAPTURE(flushes);
        Sink sink;
        Writer writer(into(sink));
        std::unique_lock disk(sink.blocked);  // a slow one: it is not done when the producers are
        pushFromFourThreads(writer, 4'000);
        REQUIRE(writer.counters().accepted == 4'000);
        if (flushes) {
            disk.unlock();
            CHECK(writer.flush(within(10s)));
            CHECK(sink.hasEachOnce(4'000));
        } else {
            CHECK(sink.all().size() < 4'000);  // what an exit here would leave
            CHECK(writer.counters().waiting == 4'000);
            disk.unlock();
        }
    }
}

TEST_CASE("batch writer: what is accepted during a flush is written once, and what is refused is not") {
    for (int round = 0; round < 20; ++round) {
        Sink sink;
        Writer writer(into(sink));
        std::mutex mutex;
        std::vector<int> accepted;
        std::vector<std::thread> producers;
        for (int producer = 0; producer < 4; ++producer) {
            producers.emplace_back([&, producer] {
                std::vector<int> mine;
                for (int number = producer;; number += 4) {
                    const Refusal refusal = writer.tryPush(number).refusal;
                    if (refusal == Refusal::closed) {
                        break;
                    }
                    if (refusal == Refusal::none) {
                        mine.push_back(number);
                    }
                }
                const std::lock_guard lock(mutex);
                accepted.insert(accepted.end(), mine.begin(), mine.end());
            });
        }
        const bool busy = eventually([&] { return writer.counters().accepted > 100; }, 10s);
        CHECK(writer.flush(within(10s)));
        for (std::thread& producer : producers) {
            producer.join();
        }
        REQUIRE(busy);
        std::vector<int> written = sink.all();
        std::sort(written.begin(), written.end());
        std::sort(accepted.begin(), accepted.end());
        CHECK(written == accepted);
    }
}

TEST_CASE("batch writer: a batch that fails is written again, and nothing is accepted until it succeeds") {
    Sink sink;
    std::mutex mutex;
    std::vector<std::string> errors;
    Writer::Options options = into(sink);
    options.errorChanged = [&](const std::string& error) {
        const std::lock_guard lock(mutex);
        errors.push_back(error);
    };
    Writer writer(options);
    sink.fails = true;
    REQUIRE(writer.tryPush(0).refusal == Refusal::none);
    REQUIRE(eventually([&] { return writer.error() == "no space left"; }, 10s));
    CHECK(writer.tryPush(1).refusal == Refusal::failing);
    CHECK(writer.counters().accepted == 1);
    CHECK(writer.counters().waiting == 1);

    sink.fails = false;
    REQUIRE(eventually([&] { return writer.error().empty(); }, 10s));
    CHECK(writer.tryPush(1).refusal == Refusal::none);
    CHECK(writer.flush(within(10s)));
    CHECK(sink.hasEachOnce(2));
    const std::lock_guard lock(mutex);
    CHECK(errors == std::vector<std::string>{"no space left", ""});  // once, however often it was tried
}

TEST_CASE("batch writer: a flush that fails returns at its deadline with the reason, and can be repeated") {
    Sink sink;
    Writer writer(into(sink));
    sink.fails = true;
    REQUIRE(writer.tryPush(0).refusal == Refusal::none);
    const TimePoint begin = Clock::now();
    CHECK_FALSE(writer.flush(within(50ms)));
    CHECK(Clock::now() - begin >= 50ms);
    CHECK(writer.error() == "no space left");
    CHECK(writer.counters().waiting == 1);
    sink.fails = false;
    CHECK(writer.flush(within(10s)));
    CHECK(writer.counters().waiting == 0);
    CHECK(sink.hasEachOnce(1));
}

TEST_CASE("batch writer: it is full when that many wait, and closed after a flush") {
    Sink sink;
    Writer::Options options = into(sink);
    options.capacity = 3;
    Writer writer(options);
    {
        const std::lock_guard disk(sink.blocked);
        for (int i = 0; i < 3; ++i) {
            CHECK(writer.tryPush(i).refusal == Refusal::none);
        }
        CHECK(writer.tryPush(3).refusal == Refusal::full);
        CHECK(writer.tryPush(3).number == 0);
    }
    CHECK(writer.flush(within(10s)));
    CHECK(writer.tryPush(4).refusal == Refusal::closed);
    CHECK(sink.hasEachOnce(3));
}

TEST_CASE("batch writer: the last step comes after the last batch, and is repeated until it succeeds") {
    Sink sink;
    int tried = 0;
    std::vector<std::size_t> written;
    Writer::Options options = into(sink);
    options.finish = [&] {
        written.push_back(sink.all().size());
        if (++tried < 3) {
            throw std::runtime_error("a row is missing");
        }
    };
    Writer writer(options);
    REQUIRE(writer.tryPush(0).refusal == Refusal::none);
    CHECK(writer.flush(within(10s)));
    CHECK(written == std::vector<std::size_t>{1, 1, 1});
    CHECK(writer.error().empty());
}

TEST_CASE("batch writer: it checks at intervals while it is idle, and at once when woken") {
    Sink sink;
    std::atomic<int> checks = 0;
    Writer::Options options = into(sink);
    options.check = [&] { ++checks; };
    SECTION("at intervals") {
        options.idleInterval = 1ms;
        const Writer writer(options);
        CHECK(eventually([&] { return checks > 2; }, 10s));
    }
    SECTION("woken") {
        options.idleInterval = GENERATE(Duration(1h), Duration::max());
        Writer writer(options);
        CHECK_FALSE(eventually([&] { return checks > 0; }, 20ms));
        writer.wake();
        CHECK(eventually([&] { return checks > 0; }, 10s));
    }
    CHECK(sink.all().empty());
}

TEST_CASE("batch writer: with an initial error it accepts nothing until a check succeeds") {
    Sink sink;
    std::atomic<bool> locked = true;
    std::atomic<bool> told = false;
    Writer::Options options = into(sink);
    options.check = [&] {
        if (locked) {
            throw std::runtime_error("the database is locked");
        }
    };
    options.errorChanged = [&](const std::string& error) { told = told || error == "the database is locked"; };
    options.initialError = "the database is locked";
    Writer writer(options);
    CHECK(writer.tryPush(0).refusal == Refusal::failing);
    CHECK(eventually([&] { return told.load(); }, 10s));
    locked = false;
    CHECK(eventually([&] { return writer.tryPush(0).refusal == Refusal::none; }, 10s));
}

TEST_CASE("batch writer: whatever a callback throws is an error like others") {
    Sink sink;
    std::atomic<int> tried = 0;
    Writer::Options options = into(sink);
    options.write = [&](const std::vector<int>& batch) {
        switch (tried++) {
            case 0:
                throw 1;
            case 1:
                throw std::runtime_error("");
            case 2:
                throw std::bad_alloc();
            default:
                sink.write(batch);
        }
    };
    options.errorChanged = [](const std::string&) { throw std::runtime_error("no log"); };
    Writer writer(options);
    REQUIRE(writer.tryPush(0).refusal == Refusal::none);
    CHECK(writer.flush(within(10s)));
    CHECK(tried == 4);
    CHECK(sink.hasEachOnce(1));
}

TEST_CASE("batch writer: its end writes what is left, and gives up what fails") {
    Sink sink;
    sink.fails = GENERATE(false, true);
    {
        Writer writer(into(sink));
        REQUIRE(writer.tryPush(0).refusal == Refusal::none);
    }
    CHECK(sink.all().size() == (sink.fails ? 0 : 1));
}

TEST_CASE("batch writer: a flush ends when the writer is stopped, and says that something is left") {
    Sink sink;
    Writer writer(into(sink));
    sink.fails = true;
    REQUIRE(writer.tryPush(0).refusal == Refusal::none);
    REQUIRE(eventually([&] { return !writer.error().empty(); }, 10s));
    std::thread stopping([&] { writer.stop(); });
    CHECK_FALSE(writer.flush(Context::background()));
    stopping.join();
    CHECK_FALSE(writer.flush(Context::background()));
    CHECK(writer.counters().waiting == 1);
}

TEST_CASE("batch writer: once frozen it accepts nothing and begins no batch, and its count stays") {
    // Never destroyed: that would need the lock, which is held forever.
    auto& sink = *new Sink;
    auto& begun = *new std::atomic<int>(0);
    Writer::Options options = into(sink);
    options.maxBatch = 1;
    options.write = [&](const std::vector<int>& batch) {
        ++begun;
        sink.write(batch);
    };
    auto& writer = *new Writer(options);
    std::unique_lock disk(sink.blocked);
    REQUIRE(writer.tryPush(0).refusal == Refusal::none);
    REQUIRE(writer.tryPush(1).refusal == Refusal::none);
    REQUIRE(eventually([&] { return begun == 1; }, 10s));
    bool frozen = false;
    std::thread([&] { frozen = writer.freeze(Clock::now() + 1s); }).join();
    REQUIRE(frozen);
    disk.unlock();
    CHECK(eventually([&] { return writer.counters().waiting == 1; }, 10s));  // the write that had begun
    std::thread([&writer] { static_cast<void>(writer.tryPush(2)); }).detach();
    CHECK_FALSE(eventually([&] { return begun > 1 || writer.counters().accepted > 2; }, 50ms));
    CHECK_FALSE(writer.freeze(Clock::now() + 10ms));
}
