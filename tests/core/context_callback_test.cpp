#include "catch.h"
#include "flag.h"

#include "lifecycle/context.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using lifecycle::CancelableContext;
using lifecycle::Context;
using lifecycle::DoneCallback;
using lifecycle::Duration;
using lifecycle::withCancel;
using lifecycle::withTimeout;
using lifecycle::test::Flag;

TEST_CASE("library: a callback is called once on the thread that ends the context") {
    auto [context, cancel] = withCancel(Context::background());
    int calls = 0;
    std::thread::id caller;
    const DoneCallback callback = context.onDone([&] {
        ++calls;
        caller = std::this_thread::get_id();
    });
    CHECK(calls == 0);
    std::thread canceller([&cancel = cancel] { cancel(), cancel(); });
    const auto id = canceller.get_id();
    canceller.join();
    CHECK(calls == 1);
    CHECK(caller == id);
}

TEST_CASE("library: a callback of a context that is done is called here and now") {
    const Context context = withTimeout(Context::background(), 0s).context;
    std::thread::id caller;
    const DoneCallback callback = context.onDone([&] { caller = std::this_thread::get_id(); });
    CHECK(caller == std::this_thread::get_id());
}

TEST_CASE("library: within a callback the context is done and says why") {
    auto [context, cancel] = withCancel(Context::background());
    std::string seen;
    const DoneCallback callback = context.onDone([&] { seen = context.cause(); });
    cancel("why");
    CHECK(seen == "why");
}

TEST_CASE("library: a callback that was unregistered is not called") {
    auto [context, cancel] = withCancel(Context::background());
    bool called = false;
    {
        DoneCallback first = context.onDone([&] { called = true; });
        DoneCallback second = std::move(first);
        first = DoneCallback();
    }
    cancel();
    CHECK_FALSE(called);
}

TEST_CASE("library: a callback may unregister itself and go on") {
    auto [context, cancel] = withCancel(Context::background());
    DoneCallback callback;
    std::string result;
    callback = context.onDone([&, text = std::string("what the callback holds is still there")] {
        callback = DoneCallback();
        result = text;
    });
    cancel();
    CHECK(result == "what the callback holds is still there");
}

TEST_CASE("library: unregistering waits for a call under way on another thread") {
    auto [context, cancel] = withCancel(Context::background());
    Flag begun;
    Flag finish;
    std::atomic<bool> finished = false;
    DoneCallback callback = context.onDone([&] {
        begun.set();
        finish.wait();
        finished = true;
    });
    std::thread canceller([&cancel = cancel] { cancel(); });
    REQUIRE(begun.wait());
    std::thread helper([&] { finish.set(); });
    callback = DoneCallback();
    CHECK(finished);
    helper.join();
    canceller.join();
}

TEST_CASE("library: a callback may drop the last handle of its context") {
    SECTION("ended by cancel") {
        auto owner = std::make_unique<CancelableContext>(withCancel(Context::background()));
        DoneCallback callback = owner->context.onDone([&] { owner.reset(); });
        owner->cancel();
        CHECK_FALSE(owner);
    }
    SECTION("ended by cancel with the callback going too") {
        struct Owner {
            CancelableContext end = withCancel(Context::background());
            DoneCallback callback;
        };
        auto owner = std::make_unique<Owner>();
        owner->callback = owner->end.context.onDone([&] { owner.reset(); });
        owner->end.cancel();
        CHECK_FALSE(owner);
    }
    SECTION("ended by the parent") {
        auto parent = withCancel(Context::background());
        auto child = std::make_unique<CancelableContext>(withCancel(parent.context));
        DoneCallback callback = child->context.onDone([&] { child.reset(); });
        parent.cancel();
        CHECK_FALSE(child);
    }
    SECTION("ended by the deadline") {
        Flag dropped;
        auto owner = std::make_shared<std::optional<CancelableContext>>(
            withTimeout(Context::background(), 1ms));
        const DoneCallback callback = (*owner)->context.onDone([&] {
            owner->reset();
            dropped.set();
        });
        CHECK(dropped.wait());
    }
}

TEST_CASE("library: a callback may make and end further contexts") {
    auto [context, cancel] = withCancel(Context::background());
    std::string inner;
    const DoneCallback callback = context.onDone([&context = context, &inner] {
        auto next = withCancel(Context::background());
        next.cancel("inner");
        inner = next.context.cause();
        CHECK(withTimeout(context, 1h).context.done());
    });
    cancel();
    CHECK(inner == "inner");
}
