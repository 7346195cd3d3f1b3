// Signals that come twice, or too early.

#include "scenario.h"

#include <initializer_list>
#include <thread>

#include "lifecycle/signals.h"

namespace lifecycle::check {
namespace {

using namespace std::chrono_literals;
using test::Clock;

/// Otherwise the process may have come to its end by itself.
void notAnswered(const Asked& client) {
    if (client.connection.answerIsHere()) {
        throw AnsweredTooEarly();
    }
}

Verdict secondSignal(Rehearsal& rehearsal) {
    const Settings& settings = rehearsal.settings();
    Subject subject(settings, rehearsal.recording());
    Asked client =
        rehearsal.ask(subject, rehearsal.path(settings.lameDuck + settings.forceLimit + settings.timeout / 2));
    rehearsal.letArrive(subject);
    const auto first = rehearsal.stopWhile(client, subject);
    subject.takesSignal(settings.signal, first + settings.refusalLimit);  // two that wait to be taken count as one
    if (const auto status = subject.waitForExit(Clock::now() + 200ms)) {  // sooner it might be a bouncing key
        notAnswered(client);
        return rehearsal.badEnd(*status).value_or(pass("gone at the first"));
    }
    const auto again = rehearsal.stop(subject);
    if (const auto status = subject.waitForExit(again + settings.forceLimit)) {
        notAnswered(client);
        return rehearsal.badEnd(*status).value_or(
            pass(formatRounded(std::max(Clock::duration::zero(), status->at - again))));
    }
    return fail("> " + formatDuration(settings.forceLimit),
                "somebody pressed Ctrl-C twice, and had to look for kill -9");
}

Verdict signalDuringStart(Rehearsal& rehearsal) {
    const Settings& settings = rehearsal.settings();
    // The last one finds it serving, also where a start takes longer than usual.
    const Duration served = rehearsal.traits().startTook * 3 / 2;
    Duration longest{};
    for (const Duration delay : std::initializer_list<Duration>{0ms, 1ms, 2ms, 5ms, 10ms, 20ms, 35ms, 50ms, served}) {
        Subject subject(settings, rehearsal.recording(), Subject::Wait::notAtAll);
        std::this_thread::sleep_for(delay);
        const auto signalled = rehearsal.stop(subject);
        // What has not begun to listen has no client: it may end at once, but also finish its start.
        const Duration start = std::max<Duration>(2s, 4 * rehearsal.traits().startTook);
        const auto status = subject.waitForExit(signalled + settings.exitLimit + settings.lameDuck + start);
        if (!status) {
            return fail("hangs", "a signal " + formatDuration(delay) +
                                     " after the start was swallowed: the process stays, and has to be killed");
        }
        if (const auto bad = rehearsal.badEnd(*status)) {
            return *bad;
        }
        longest = std::max<Duration>(longest, status->at - signalled);
    }
    return pass(formatRounded(longest));
}

}  // namespace

std::vector<Scenario> signalScenarios() {
    return {
        {.name = "second-signal",
         .passes = "with a request in flight, a second signal ends the process within --force-limit",
         .why = "the one who waits may know better: a drain nobody can cut short ends in kill -9",
         .needs = work,
         .attempts = 2,
         .run = secondSignal},
        {.name = "signal-during-start",
         .passes = "a signal 0 to 50 ms after the start, or once it serves, ends the process",
         .why = "crash loops and quick rollbacks stop processes that have only just been started",
         .attempts = 2,
         .run = signalDuringStart},
    };
}

}  // namespace lifecycle::check
