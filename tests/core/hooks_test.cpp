#include "catch.h"
#include "deadline.h"
#include "flag.h"
#include "hook_diary.h"
#include "recorded_events.h"
#include "time_limit.h"

#include "lifecycle/hooks.h"

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::Context;
using lifecycle::Duration;
using lifecycle::Hook;
using lifecycle::HookReport;
using lifecycle::Hooks;
using lifecycle::HooksReport;
using lifecycle::HookStatus;

TEST_CASE("library: hooks run phase by phase whatever the order of adding") {
    Diary diary;
    Hooks hooks;
    hooks.add(diary.entry("last", 7));
    hooks.add(diary.entry("first", -1));
    hooks.add(diary.entry("middle", 3));
    const HooksReport report = runWithin(hooks, 20s);
    CHECK(diary.names() == std::vector<std::string>{"first", "middle", "last"});
    REQUIRE(report.hooks.size() == 3);
    CHECK(report.hooks[0].name == "first");
    CHECK(report.hooks[0].phase == -1);
    CHECK(report.hooks[2].name == "last");
    CHECK(report.allOk());
    CHECK_FALSE(report.anyAbandoned());
}

TEST_CASE("library: hooks of one phase run side by side") {
    Hooks hooks;
    Flag first;
    Flag second;
    std::atomic<int> met = 0;
    // Each waits for the other: one after the other they would never end.
    hooks.add({"a", 0, 20s, [&](const Context&) { first.set(); met += second.wait() ? 1 : 0; }});
    hooks.add({"b", 0, 20s, [&](const Context&) { second.set(); met += first.wait() ? 1 : 0; }});
    CHECK(runWithin(hooks, 20s).allOk());
    CHECK(met == 2);
}

TEST_CASE("library: a phase begins when all hooks of the phase before are over") {
    Hooks hooks;
    std::atomic<int> over = 0;
    std::atomic<int> seen = -1;
    for (int i = 0; i < 5; ++i) {
        hooks.add({"early", 0, 10s, [&, i](const Context& context) { context.waitFor(10ms * i); ++over; }});
    }
    hooks.add({"late", 1, 10s, [&](const Context&) { seen = over.load(); }});
    CHECK(runWithin(hooks, 20s).allOk());
    CHECK(seen == 5);
}

TEST_CASE("library: a hook that throws is reported with its message and the others run") {
    Diary diary;
    Hooks hooks;
    hooks.add({"exception", 0, 10s, [](const Context&) { throw std::runtime_error("disk on fire"); }});
    hooks.add({"something else", 0, 10s, [](const Context&) { throw 5; }});
    hooks.add(diary.entry("beside", 0));
    hooks.add(diary.entry("behind", 1));
    const HooksReport report = runWithin(hooks, 20s);
    CHECK(named(report, "exception").status == HookStatus::failed);
    CHECK(named(report, "exception").error == "disk on fire");
    CHECK(named(report, "something else").status == HookStatus::failed);
    CHECK_FALSE(named(report, "something else").error.empty());
    CHECK(diary.names().size() == 2);
    CHECK_FALSE(report.allOk());
    CHECK_FALSE(report.anyAbandoned());
}

TEST_CASE("library: a hook that ignores its context is abandoned and holds nobody") {
    const auto flag = std::make_shared<Flag>();
    Diary diary;
    Hooks hooks;
    hooks.add(deaf("deaf", 0, 50ms, flag));
    hooks.add(diary.entry("behind", 1));
    const auto begin = lifecycle::Clock::now();
    const HooksReport report = runWithin(hooks, 20s);
    CHECK(lifecycle::Clock::now() - begin < 1s * slowdown);
    CHECK(named(report, "deaf").status == HookStatus::timedOut);
    CHECK(named(report, "deaf").took >= 50ms);
    CHECK(named(report, "behind").status == HookStatus::ok);
    CHECK(report.anyAbandoned());
    flag->set();
}

TEST_CASE("library: what an abandoned hook holds lives until it returns and its result is not taken") {
    const auto flag = std::make_shared<Flag>();
    const auto returned = std::make_shared<Flag>();
    auto held = std::make_shared<int>(5);
    const std::weak_ptr<int> watch = held;
    {
        Hooks hooks;
        hooks.add({"deaf", 0, 20ms, [flag, returned, held](const Context& context) {
                       flag->wait(60s);
                       CHECK(context.done());
                       CHECK(*held == 5);
                       returned->set();
                       throw std::runtime_error("too late");
                   }});
        held.reset();
        const HooksReport report = runWithin(hooks, 20s);
        CHECK(report.hooks[0].status == HookStatus::timedOut);
        CHECK(hooks.progress()[0].error.empty());
    } // the hooks are destroyed, the abandoned one is not over
    CHECK(watch.lock());
    flag->set();
    CHECK(returned->wait());
    CHECK(lifecycle::test::eventually([&] { return watch.expired(); }, 10s));
}

TEST_CASE("library: hooks that end in time leave no thread behind") {
    static std::atomic<int> threads = 0;
    struct Mark {
        Mark() { ++threads; }
        ~Mark() {
            std::this_thread::sleep_for(5ms); // the end of a thread that nobody waits for would come later
            --threads;
        }
    };
    std::atomic<int> most = 0;
    Hooks hooks;
    for (int i = 0; i < 8; ++i) {
        hooks.add({"in time", i / 4, 10s, [&](const Context&) {
            thread_local Mark mark;
            most = threads.load();
        }});
    }
    CHECK(runWithin(hooks, 20s).allOk());
    CHECK(most > 0);
    CHECK(threads == 0);
}

TEST_CASE("library: a hook learns from its context that its time is over") {
    Hooks hooks;
    std::atomic<bool> told = false;
    hooks.add({"obedient", 0, 50ms, [&](const Context& context) { told = context.waitFor(20s); }});
    runWithin(hooks, 20s);
    CHECK(lifecycle::test::eventually([&] { return told.load(); }, 10s));
}

TEST_CASE("library: the total deadline ends everything and what had no time is skipped") {
    const auto flag = std::make_shared<Flag>();
    Hooks hooks;
    hooks.add(deaf("deaf", 0, 20s, flag));
    hooks.add({"skipped", 1, 0s, [](const Context&) { FAIL("it must not run"); }});
    const auto begin = lifecycle::Clock::now();
    const HooksReport report = runWithin(hooks, 100ms);
    CHECK(lifecycle::Clock::now() - begin < 1s * slowdown);
    CHECK(named(report, "deaf").status == HookStatus::timedOut);
    CHECK(named(report, "skipped").status == HookStatus::skipped);
    flag->set();
}

TEST_CASE("library: hooks under a total context that is done are skipped at once") {
    Hooks hooks;
    hooks.add({"a", 0, 10s, [](const Context&) { FAIL("it must not run"); }});
    const auto [total, cancel] = withCancel(Context::background());
    cancel();
    const HooksReport report = hooks.run(total);
    CHECK(report.hooks[0].status == HookStatus::skipped);
    CHECK_FALSE(report.allOk());
}

TEST_CASE("library: a skipped hook is logged") {
    RecordedEvents recorded;
    Hooks hooks(&recorded.log());
    hooks.add({"late", 0, 10s, [](const Context&) { FAIL("it must not run"); }});
    const auto [total, cancel] = withCancel(Context::background());
    cancel();
    hooks.run(total);
    REQUIRE(recorded.all("hook.skipped").size() == 1);
    CHECK(recorded.all("hook.skipped")[0].field("name") == "late");
}

TEST_CASE("library: hooks that are never run leave no thread behind") {
    const auto held = std::make_shared<int>(5);
    {
        Hooks hooks;
        for (int i = 0; i < 20; ++i) {
            hooks.add({"never", i, 10s, [held](const Context&) { FAIL("it must not run"); }});
        }
    }
    CHECK(held.use_count() == 1);
}

TEST_CASE("library: no hooks are a report without entries") {
    Hooks hooks;
    const HooksReport report = hooks.run(Context::background());
    CHECK(report.hooks.empty());
    CHECK(report.allOk());
    CHECK(hooks.longest() == 0s);
}

TEST_CASE("library: adding a hook during the shutdown is refused") {
    Hooks hooks;
    std::atomic<bool> refused = false;
    hooks.add({"adds", 0, 10s, [&](const Context&) {
                   try {
                       hooks.add({"late", 5, 10s, [](const Context&) {}});
                   } catch (const std::logic_error&) {
                       refused = true;
                   }
               }});
    CHECK(runWithin(hooks, 20s).hooks.size() == 1);
    CHECK(refused);
    CHECK_THROWS_AS(hooks.add({"later", 0, 1s, [](const Context&) {}}), std::logic_error);
    CHECK_THROWS_AS(hooks.run(Context::background()), std::logic_error);
}

TEST_CASE("library: a hook with nothing to run is an error of the program") {
    Hooks hooks;
    CHECK_THROWS_AS(hooks.add({"empty", 0, 1s, nullptr}), std::invalid_argument);
}

TEST_CASE("library: progress can be watched while hooks run") {
    Hooks hooks;
    Flag begun;
    Flag go;
    hooks.add({"running", 0, 20s, [&](const Context&) { begun.set(); go.wait(); }});
    hooks.add({"waiting", 1, 20s, [](const Context&) {}});
    CHECK(hooks.progress()[0].status == HookStatus::waiting);
    std::thread runner([&] { runWithin(hooks, 20s); });
    REQUIRE(begun.wait());
    CHECK(hooks.progress()[0].status == HookStatus::running);
    CHECK(hooks.progress()[0].took > 0s);
    CHECK(hooks.progress()[1].status == HookStatus::waiting);
    CHECK_FALSE(hooks.progress()[1].over());
    go.set();
    runner.join();
    CHECK(hooks.progress()[1].status == HookStatus::ok);
}
