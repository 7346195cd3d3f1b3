#include "catch.h"
#include "deadline.h"
#include "time_limit.h"

#include "lifecycle/context.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using lifecycle::CancelableContext;
using lifecycle::Clock;
using lifecycle::Context;
using lifecycle::ContextError;
using lifecycle::DoneCallback;
using lifecycle::Duration;
using lifecycle::TimePoint;
using lifecycle::withCancel;
using lifecycle::withDeadline;
using lifecycle::withTimeout;
using lifecycle::test::eventually;
using lifecycle::test::slowdown;

namespace {

std::ptrdiff_t threadsOfThisProcess() {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
}

} // namespace

TEST_CASE("library: the background is never done and has no deadline") {
    const Context background = Context::background();
    CHECK_FALSE(background.done());
    CHECK(background.err() == ContextError::none);
    CHECK(background.cause().empty());
    CHECK_FALSE(background.deadline());
    CHECK(background.remaining() == Duration::max());
    CHECK_FALSE(background.waitFor(1ms));
    CHECK_FALSE(background.waitUntil(Clock::now() - 1s));
    CHECK_FALSE(background.token().stop_possible());
    const DoneCallback never = background.onDone([] { FAIL("called"); });
}

TEST_CASE("library: a canceled context says that and why") {
    auto [context, cancel] = withCancel(Context::background());
    CHECK_FALSE(context.done());
    cancel("SIGTERM");
    CHECK(context.done());
    CHECK(context.err() == ContextError::canceled);
    CHECK(context.cause() == "SIGTERM");
    CHECK(context.remaining() == 0s);
    CHECK(context.token().stop_requested());
    CHECK(toString(context.err()) == "canceled");
}

TEST_CASE("library: without a reason the cause is the text of the error") {
    auto [canceled, cancel] = withCancel(Context::background());
    cancel();
    CHECK(canceled.cause() == "canceled");
    const Context timedOut = withTimeout(Context::background(), 0s).context;
    CHECK(timedOut.waitFor(10s));
    CHECK(timedOut.cause() == "deadline exceeded");
}

TEST_CASE("library: the first cause wins and stays") {
    auto [context, cancel] = withTimeout(Context::background(), 500ms, "too slow");
    cancel("first");
    cancel("second");
    CHECK_FALSE(withCancel(Context::background()).context.waitFor(510ms)); // past the deadline
    CHECK(context.err() == ContextError::canceled);
    CHECK(context.cause() == "first");
}

TEST_CASE("library: copies share one state") {
    auto [context, cancel] = withCancel(Context::background());
    const Context copy = context;
    const auto cancelToo = cancel;
    cancelToo("by the copy");
    CHECK(copy.cause() == "by the copy");
    CHECK(context.cause() == "by the copy");
}

TEST_CASE("library: dropping the cancel function does not cancel") {
    const Context context = withCancel(Context::background()).context;
    CHECK_FALSE(context.waitFor(1ms));
}

TEST_CASE("library: cancel flows down and never up") {
    auto parent = withCancel(Context::background());
    auto child = withCancel(parent.context);
    auto sibling = withTimeout(parent.context, 1h);
    auto grandchild = withCancel(child.context);

    child.cancel("child");
    CHECK(grandchild.context.cause() == "child");
    CHECK_FALSE(parent.context.done());
    CHECK_FALSE(sibling.context.done());

    parent.cancel("parent");
    CHECK(sibling.context.err() == ContextError::canceled);
    CHECK(sibling.context.cause() == "parent");
    CHECK(child.context.cause() == "child");
}

TEST_CASE("library: the deadline of a parent ends its children with its cause") {
    auto parent = withTimeout(Context::background(), 5ms, "the parent's time is up");
    const Context child = withCancel(parent.context).context;
    const Context patient = withTimeout(child, 1h, "never").context;
    CHECK(patient.waitFor(10s));
    CHECK(patient.err() == ContextError::deadlineExceeded);
    CHECK(patient.cause() == "the parent's time is up");
}

TEST_CASE("library: the deadline of a child is the earlier of its own and the parent's") {
    const TimePoint soon = Clock::now() + 1h;
    const TimePoint late = soon + 1h;
    const Context parent = withDeadline(Context::background(), soon).context;
    CHECK(parent.deadline() == soon);
    CHECK(withDeadline(parent, late).context.deadline() == soon);
    CHECK(withDeadline(parent, soon - 1s).context.deadline() == soon - 1s);
    CHECK(withTimeout(parent, Duration::max()).context.deadline() == soon);
    CHECK(withCancel(parent).context.deadline() == soon);
    CHECK(parent.remaining() <= 1h);
    CHECK(parent.remaining() > 59min);
}

TEST_CASE("library: a deadline that has passed is done at once") {
    CHECK(withTimeout(Context::background(), 0s).context.err() == ContextError::deadlineExceeded);
    CHECK(withTimeout(Context::background(), -5s, "late").context.cause() == "late");
    CHECK(withTimeout(Context::background(), Duration::min()).context.remaining() == 0s);
    CHECK(withDeadline(Context::background(), TimePoint::min()).context.remaining() == 0s);
}

TEST_CASE("library: a timeout too long for the clock is no overflow") {
    auto [context, cancel] = withTimeout(Context::background(), Duration::max());
    CHECK_FALSE(context.done());
    CHECK(context.remaining() > 24h * 365 * 200);
    std::thread canceller([&cancel = cancel] { cancel(); });
    CHECK(context.waitFor(Duration::max()));
    canceller.join();
}

TEST_CASE("library: a child of a done parent is done at once") {
    auto [parent, cancel] = withCancel(Context::background());
    cancel("gone");
    CHECK(withCancel(parent).context.cause() == "gone");
    const Context child = withTimeout(parent, 1h).context;
    CHECK(child.err() == ContextError::canceled);
    CHECK(child.remaining() == 0s);
}

// Who sees the parent done must see a new child done, also while the end is still on its way to
// older children.
TEST_CASE("library: a child made by whoever was woken by the parent's end is done") {
    for (int round = 0; round < 2000 / slowdown; ++round) {
        auto parent = withCancel(Context::background());
        bool childWasDone = false;
        std::thread woken([&] {
            parent.context.wait();
            childWasDone = withCancel(parent.context).context.done();
        });
        parent.cancel();
        woken.join();
        REQUIRE(childWasDone);
    }
}

TEST_CASE("library: wait ends when the context does") {
    auto [context, cancel] = withCancel(Context::background());
    CHECK_FALSE(context.waitFor(1ms));
    CHECK_FALSE(context.waitFor(-1s));
    CHECK_FALSE(context.waitUntil(Clock::now()));
    std::thread canceller([&cancel = cancel] { cancel(); });
    context.wait();
    CHECK(context.done());
    canceller.join();
    CHECK(context.waitFor(-1s));
    CHECK(context.waitUntil(TimePoint::min()));
}

TEST_CASE("library: the token wakes a condition variable") {
    auto [context, cancel] = withCancel(Context::background());
    std::mutex mutex;
    std::condition_variable_any changed;
    std::thread canceller([&cancel = cancel] { cancel(); });
    std::unique_lock lock(mutex);
    CHECK_FALSE(changed.wait(lock, context.token(), [] { return false; }));
    CHECK(context.done());
    lock.unlock();
    canceller.join();
}

TEST_CASE("library: the token ends a loop of a jthread") {
    auto [context, cancel] = withCancel(Context::background());
    std::jthread worker([token = context.token()] {
        while (!token.stop_requested()) {
            std::this_thread::yield();
        }
    });
    cancel();
    worker.join();
}

TEST_CASE("library: ten thousand live timeouts cost no more threads than one") {
    std::vector<CancelableContext> contexts{withTimeout(Context::background(), 1h)};
    const auto threads = threadsOfThisProcess();
    for (int i = 0; i < 10'000; ++i) {
        contexts.push_back(withTimeout(Context::background(), 1h + i * 1ms));
    }
    CHECK(threadsOfThisProcess() == threads);
    contexts.push_back(withTimeout(Context::background(), 1ms));
    CHECK(contexts.back().context.waitFor(10s));
    CHECK(threadsOfThisProcess() == threads);
    CHECK_FALSE(contexts.front().context.done());
}

TEST_CASE("library: ten thousand deadlines at one moment all pass") {
    const TimePoint moment = Clock::now() + 50ms;
    std::vector<CancelableContext> contexts;
    for (int i = 0; i < 10'000; ++i) {
        contexts.push_back(withDeadline(Context::background(), moment));
    }
    for (const CancelableContext& context : contexts) {
        REQUIRE(context.context.waitFor(20s));
    }
}

TEST_CASE("library: deadlines pass in their order and none before its time") {
    std::mt19937 random(1);
    std::vector<std::pair<CancelableContext, TimePoint>> contexts;
    const TimePoint begin = Clock::now() + 20ms;
    for (int i = 0; i < 200; ++i) {
        const TimePoint deadline = begin + (random() % 30'000) * 1us;
        contexts.emplace_back(withDeadline(Context::background(), deadline), deadline);
    }
    std::mutex mutex;
    std::vector<TimePoint> order;
    std::atomic<std::size_t> calls = 0;
    std::atomic<bool> early = false;
    std::vector<DoneCallback> callbacks;
    for (const auto& [context, deadline] : contexts) {
        callbacks.push_back(
            context.context.onDone([&, deadline = deadline, here = std::this_thread::get_id()] {
                early = early || Clock::now() < deadline;
                if (std::this_thread::get_id() != here) { // not one that passed before this call
                    const std::lock_guard lock(mutex);
                    order.push_back(deadline);
                }
                ++calls;
            }));
    }
    CHECK(eventually([&] { return calls == contexts.size(); }, 20s));
    callbacks.clear();
    CHECK_FALSE(early);
    CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("library: of many who end a context at once one wins") {
    for (int round = 0; round < 500 / slowdown; ++round) {
        auto [context, cancel] = withTimeout(Context::background(), 200us, "deadline");
        std::atomic<int> calls = 0;
        const DoneCallback callback = context.onDone([&] { ++calls; });
        std::barrier together(4);
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&, &context = context, &cancel = cancel, i] {
                together.arrive_and_wait();
                context.waitFor(190us);
                cancel("thread " + std::to_string(i));
                if (context.cause().empty() || context.err() == ContextError::none) {
                    calls += 100;
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        const std::string cause = context.cause();
        REQUIRE((context.err() == ContextError::deadlineExceeded) == (cause == "deadline"));
        REQUIRE(eventually([&] { return calls == 1; }, 10s));
        cancel("late");
        REQUIRE(context.cause() == cause);
    }
}

TEST_CASE("library: a context may be destroyed while its deadline passes") {
    for (int round = 0; round < 5000 / slowdown; ++round) {
        std::optional<CancelableContext> parent =
            withTimeout(Context::background(), (round % 200) * 1us);
        std::optional<CancelableContext> child = withTimeout(parent->context, (round % 190) * 1us);
        const TimePoint end = Clock::now() + (round % 195) * 1us;
        while (Clock::now() < end) {
        }
        parent.reset();
        child.reset();
    }
    SUCCEED("the sanitizers have seen nothing");
}

TEST_CASE("library: children come and go while their parent is canceled") {
    for (int round = 0; round < 200 / slowdown; ++round) {
        auto parent = withCancel(Context::background());
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                while (!withTimeout(parent.context, 1h).context.done()) {
                }
            });
        }
        parent.cancel();
        for (std::thread& thread : threads) {
            thread.join();
        }
    }
    SUCCEED("the sanitizers have seen nothing");
}
