#include "catch.h"
#include "deadline.h"
#include "flag.h"
#include "recorded_events.h"
#include "time_limit.h"

#include "lifecycle/hooks.h"
#include "lifecycle/shutdown_all.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using lifecycle::Context;
using lifecycle::Duration;
using lifecycle::Hook;
using lifecycle::HookReport;
using lifecycle::Hooks;
using lifecycle::HooksReport;
using lifecycle::HookStatus;
using lifecycle::test::Flag;
using lifecycle::test::RecordedEvents;
using lifecycle::test::slowdown;

namespace {

HooksReport runWithin(Hooks& hooks, Duration total) {
    return hooks.run(withTimeout(Context::background(), total).context);
}

/// Which hooks ran, in the order in which they began.
class Diary {
public:
    /// A hook that writes its name down.
    Hook entry(const std::string& name, int phase) {
        return {name, phase, 10s, [this, name](const Context&) { write(name); }};
    }
    void write(const std::string& name) {
        const std::lock_guard lock(mutex_);
        names_.push_back(name);
    }
    std::vector<std::string> names() const {
        const std::lock_guard lock(mutex_);
        return names_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> names_;
};

/// A hook that does not know what a context is, until the flag is set. Nothing it uses is destroyed.
Hook deaf(const std::string& name, int phase, Duration timeout, std::shared_ptr<Flag> flag) {
    return {name, phase, timeout, [flag](const Context&) { flag->wait(60s); }};
}

const HookReport& named(const HooksReport& report, const std::string& name) {
    for (const HookReport& hook : report.hooks) {
        if (hook.name == name) {
            return hook;
        }
    }
    throw std::out_of_range(name);
}

} // namespace

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

TEST_CASE("library: an early slow hook does not use up the time that is kept for later ones") {
    const auto flag = std::make_shared<Flag>();
    Diary diary;
    Hooks hooks;
    hooks.add(deaf("early", 0, 30s, flag)); // would like far more than there is
    Hook middle = diary.entry("middle", 1);
    middle.timeout = 30s;
    hooks.add(middle);
    Hook late = diary.entry("late", 2);
    late.timeout = 30s;
    hooks.add(late);
    const HooksReport report = runWithin(hooks, 600ms);
    CHECK(diary.names() == std::vector<std::string>{"middle", "late"});
    CHECK(named(report, "early").timeout <= 400ms); // a sixth of the total is kept for each of the others
    CHECK(named(report, "middle").timeout <= 100ms);
    CHECK(named(report, "late").timeout > 100ms); // what the one before it left
    flag->set();
}

TEST_CASE("library: a hook has its own timeout where the total has it, whatever others would like") {
    Diary diary;
    Hooks hooks;
    Hook first = diary.entry("first", 0);
    first.timeout = 1s;
    hooks.add(first);
    Hook drain = diary.entry("drain", 1);
    drain.timeout = 10min;
    hooks.add(drain);
    for (int phase = 2; phase < 5; ++phase) {
        Hook later = diary.entry("later", phase);
        later.timeout = 1s;
        hooks.add(later);
    }
    const HooksReport report = runWithin(hooks, 10s);
    CHECK(report.allOk());
    CHECK(named(report, "first").timeout == 1s);
    CHECK(named(report, "drain").timeout <= 7s); // a second is kept for each of the others
    CHECK(named(report, "drain").timeout > 5s);
    CHECK(named(report, "later").timeout == 1s);
}

TEST_CASE("library: the plan tells how much time each hook has at least and logs those that have less than their own") {
    RecordedEvents recorded;
    Hooks hooks(&recorded.log());
    const auto add = [&](const std::string& name, int phase, Duration timeout) {
        hooks.add({name, phase, timeout, [](const Context&) {}});
    };
    add("first", 0, 1s);
    add("drain", 1, 20s);
    add("beside", 1, 500ms);
    add("store", 2, 5s);

    for (const lifecycle::HookPlan& hook : hooks.plan(26s)) {
        CAPTURE(hook.name);
        CHECK(hook.atLeast == hook.timeout);
    }
    CHECK(hooks.plan(Duration::max()).at(1).atLeast == 20s);
    CHECK(recorded.all("hook.short").empty());

    const std::vector<lifecycle::HookPlan> plan = hooks.plan(12s); // 2 s are kept for each phase
    REQUIRE(plan.size() == 4);
    CHECK(plan[0].atLeast == 1s);
    CHECK(plan[1].atLeast == 9s);
    CHECK(plan[2].atLeast == 500ms);
    CHECK(plan[3].atLeast == 2s);
    const auto told = recorded.all("hook.short");
    REQUIRE(told.size() == 2);
    CHECK(told[0].field("name") == "drain");
    CHECK(told[0].field("at_least") == "9s");
    CHECK(told[1].field("name") == "store");
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

TEST_CASE("library: a hook with all the time there is does not take it from those before it") {
    for (const Context& total : {withTimeout(Context::background(), 20s).context, Context::background()}) {
        Diary diary;
        Hooks hooks;
        hooks.add(diary.entry("early", 0));
        Hook endless = diary.entry("endless", 1);
        endless.timeout = Duration::max();
        hooks.add(endless);
        CHECK(hooks.longest() == Duration::max());
        const HooksReport report = hooks.run(total);
        CHECK(report.allOk());
        CHECK(named(report, "early").timeout > 5s);
        CHECK(diary.names() == std::vector<std::string>{"early", "endless"});
    }
}

TEST_CASE("library: with time for all each hook is granted its own timeout") {
    Diary diary;
    Hooks hooks;
    hooks.add(diary.entry("a", 0));
    hooks.add(diary.entry("b", 1));
    CHECK(hooks.longest() == 20s);
    const HooksReport report = runWithin(hooks, 1min);
    CHECK(named(report, "a").timeout == 10s);
    CHECK(named(report, "b").timeout == 10s);
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

TEST_CASE("library: servers end side by side and one that fails or hangs does not hold the others") {
    const auto flag = std::make_shared<Flag>();
    std::atomic<int> ended = 0;
    const auto begin = lifecycle::Clock::now();
    const HooksReport report = lifecycle::shutdownAll(
        {{"hangs", [flag](const Context&) { flag->wait(60s); }},
         {"good", [&](const Context&) { ++ended; }},
         {"fails", [](const Context&) { throw std::runtime_error("no"); }},
         {"too good", [&](const Context&) { ++ended; }}},
        withTimeout(Context::background(), 100ms).context);
    CHECK(lifecycle::Clock::now() - begin < 1s * slowdown);
    CHECK(ended == 2);
    CHECK(named(report, "hangs").status == HookStatus::timedOut);
    CHECK(named(report, "fails").error == "no");
    CHECK(named(report, "good").status == HookStatus::ok);
    flag->set();
}

TEST_CASE("library: under a context that is done every server is still told to shut down") {
    const auto [over, cancel] = withCancel(Context::background());
    cancel("too late");
    std::atomic<int> told = 0;
    const auto cuts = [&](const Context& context) { told += context.cause() == "too late" ? 1 : 0; };
    const HooksReport report = lifecycle::shutdownAll({{"one", cuts}, {"two", cuts}, {"three", cuts}}, over);
    CHECK(told == 3);
    CHECK(report.allOk());
}
