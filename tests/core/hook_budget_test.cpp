#include "catch.h"
#include "hook_diary.h"
#include "recorded_events.h"

#include "lifecycle/hooks.h"

#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::Context;
using lifecycle::Duration;
using lifecycle::Hook;
using lifecycle::Hooks;
using lifecycle::HooksReport;

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
