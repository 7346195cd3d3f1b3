#include <chrono>
#include <ratio>

#include "figures.h"
#include "lifecycle/hooks.h"

namespace lifecycle::bench {
namespace {

double runMilliseconds(int phases) {
    Hooks hooks;
    for (int i = 0; i < 100; ++i) {
        hooks.add({"empty", i % phases, std::chrono::seconds(1), [](const Context&) {}});
    }
    const HooksReport report = hooks.run(withTimeout(Context::background(), std::chrono::seconds(20)).context);
    return std::chrono::duration<double, std::milli>(report.took).count();
}

}  // namespace

Figure hookRun(const Effort& effort) {
    Sample sideBySide;
    Sample inTurn;
    for (int run = 0; run < effort.runs(50, 5); ++run) {
        sideBySide.add(runMilliseconds(1));
        inTurn.add(runMilliseconds(100));
    }
    return {.name = "hooks",
            .meaning = "a run of 100 hooks that do nothing",
            .lines = {medianLine("in one phase", "ms", sideBySide, atMost(5)),
                      medianLine("in 100 phases", "ms", inTurn, atMost(5))}};
}

}  // namespace lifecycle::bench
