// When the process ends, and what must have been finished by then.

#include "scenario.h"

#include <algorithm>
#include <vector>

#include "lifecycle/signals.h"

namespace lifecycle::check {
namespace {

using namespace std::chrono_literals;

Verdict idleExit(Rehearsal& rehearsal) {
    Subject subject(rehearsal.settings(), rehearsal.recording());
    test::get(subject.port(), rehearsal.path(0s));
    const Verdict verdict = rehearsal.exitsWithin(subject, rehearsal.stop(subject), rehearsal.settings().exitLimit,
                                                  "it was asked to end, had nothing to do, and stayed");
    const auto status = subject.exitStatus();
    const int number = rehearsal.settings().signal;
    if (verdict.result == Verdict::Result::pass && status->signal == 0 && status->code != 0 &&
        status->code != 128 + number) {
        return fail("exit code " + std::to_string(status->code),
                    "it ended in time, with an exit code that its supervisor takes for a failure");
    }
    return verdict;
}

Verdict inFlight(Rehearsal& rehearsal) {
    constexpr std::size_t count = 4;
    Subject subject(rehearsal.settings(), rehearsal.recording());
    std::vector<Asked> clients;
    for (std::size_t i = 0; i < count; ++i) {
        clients.push_back(rehearsal.ask(subject, rehearsal.path(rehearsal.work(700ms))));
    }
    if (std::any_of(clients.begin(), clients.end(), [](const Asked& one) { return one.connection.error(); })) {
        return notApplicable("it does not take 4 clients at a time");
    }
    const std::string which = rehearsal.letArrive(subject) ? "a client whose request was being worked on "
                                                           : "a client whose request had been sent ";
    const auto signalled = rehearsal.stopWhile(clients.back(), subject);
    std::size_t served = 0;
    std::string suffered;
    for (Asked& client : clients) {
        const test::Response response = rehearsal.answer(client, rehearsal.deadlineFrom(signalled));
        served += isServed(response) ? 1 : 0;
        suffered = isServed(response) ? suffered : fate(response);
    }
    subject.waitForExit(rehearsal.deadlineFrom(signalled));
    const std::string figure = std::to_string(served) + " of " + std::to_string(count);
    return served == count ? pass(figure) : fail(figure, which + suffered);
}

Verdict lastResponse(Rehearsal& rehearsal) {
    Subject subject(rehearsal.settings(), rehearsal.recording());
    Asked client = rehearsal.ask(subject, rehearsal.path(rehearsal.work(500ms)));
    rehearsal.letArrive(subject);
    const auto signalled = rehearsal.stopWhile(client, subject);
    const test::Response response = rehearsal.answer(client, rehearsal.deadlineFrom(signalled));
    if (!isServed(response)) {
        return fail("no answer", "the only client " + fate(response));
    }
    // The client keeps its connection open: a server that ends must not wait for that.
    return rehearsal.exitsWithin(subject, response.finishedAt, rehearsal.settings().exitLimit,
                                 "all was answered, and the process stayed: a deployment waits for it");
}

Verdict deadline(Rehearsal& rehearsal) {
    const Settings& settings = rehearsal.settings();
    Subject subject(settings, rehearsal.recording());
    Asked client = rehearsal.ask(subject, rehearsal.path(3 * settings.timeout + settings.lameDuck + 5s));
    rehearsal.letArrive(subject);
    const auto signalled = rehearsal.stopWhile(client, subject);
    const Verdict verdict =
        rehearsal.exitsWithin(subject, signalled, settings.timeout + settings.exitLimit,
                              "one slow request holds the process beyond its deadline: it will be killed");
    rehearsal.answer(client, 10ms);
    return verdict;
}

}  // namespace

std::vector<Scenario> exitScenarios() {
    return {
        {.name = "idle-exit",
         .passes = "with no client, the process is gone within --exit-limit, with exit code 0 or by the signal",
         .why = "a supervisor that gets no reaction kills, and a wrong exit code looks like a crash",
         .attempts = 2,
         .run = idleExit},
        {.name = "in-flight",
         .passes = "4 requests that are being worked on when the signal comes all get their answers",
         .why = "each deployment would cost the requests of that moment",
         .needs = work,
         .run = inFlight},
        {.name = "last-response",
         .passes = "the process is gone within --exit-limit of its last answer, though the client stays connected",
         .why = "a rolling update waits for the slowest process, and connections are kept open for minutes",
         .needs = work,
         .attempts = 2,
         .run = lastResponse},
        {.name = "deadline",
         .passes = "a request that takes too long does not hold the process beyond --timeout (and --exit-limit)",
         .why = "who waits for ever is killed by somebody else, in the middle of anything",
         .needs = work,
         .attempts = 2,
         .run = deadline},
    };
}

}  // namespace lifecycle::check
