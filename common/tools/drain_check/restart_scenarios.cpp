// Hot restart: a new process takes over, and no client may notice.

#include "scenario.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "lifecycle/signals.h"

namespace lifecycle::check {
namespace {

using namespace std::chrono_literals;
using test::Clock;

bool allIn(const std::set<pid_t>& some, const std::set<pid_t>& others) {
    return std::includes(others.begin(), others.end(), some.begin(), some.end());
}

/// The life of both generations, as seen from the socket: the new one is there as soon as a process
/// has it that did not have it before, the old one is gone when one of its processes has it no more.
struct Generations {
    Listening before;
    Listening now{};
    std::optional<Clock::time_point> newCame{};
    std::optional<Clock::time_point> oldWent{};

    bool handedOver(const Listening& listening) {
        now = listening;
        if (!newCame && !allIn(now.holders, before.holders)) {
            newCame = Clock::now();
        }
        if (!oldWent && newCame && !allIn(before.holders, now.holders)) {
            oldWent = Clock::now();
        }
        return oldWent.has_value();
    }
};

struct Restart {
    bool served = false;  ///< before
    bool happened = false;
    bool sameSocket = false;
    test::LoadResult clients{};
};

/// One hot restart under load.
Restart restartUnder(Rehearsal& rehearsal, bool keepAlive) {
    const Settings& settings = rehearsal.settings();
    Subject subject(settings, rehearsal.recording());
    const auto began = Clock::now();
    Generations generations{subject.listening()};
    test::LoadPlan plan = rehearsal.load(subject, keepAlive, 1ms);
    plan.untilRefused = false;
    plan.duration = settings.restartLimit + 10s;
    plan.thinkTime = 2ms;  // a handshake each: no more of them than a busy machine can bear
    test::LoadClients load(plan);
    Restart restart;
    restart.served = test::eventually([&] { return load.answered() >= 5 * settings.clients; }, settings.startLimit);

    const auto signalled = subject.signal(*settings.restartSignal);
    restart.happened =
        test::eventually([&] { return generations.handedOver(subject.listening()); }, settings.restartLimit);
    if (restart.happened) {
        const std::size_t before = load.answered();  // what follows is more and more the new one's
        test::eventually([&] { return load.answered() >= before + 20 * settings.clients; }, settings.restartLimit);
    }
    load.stop();
    restart.clients = load.wait();
    if (restart.happened) {
        rehearsal.recording().process("old process", began, *generations.oldWent);
        rehearsal.recording().process("new process", *generations.newCame, Clock::now());
    }
    rehearsal.recording().requests(restart.clients);
    restart.clients = endedSince(signalled, restart.clients);
    restart.sameSocket = generations.now.inodes == generations.before.inodes;
    return restart;
}

/// The longest time without an answer to anybody.
Duration longestGap(const test::LoadResult& load) {
    std::vector<Clock::time_point> answers;
    for (const test::LoadRecord& record : load.records) {
        if (record.outcome == test::Outcome::complete && record.status < 500) {
            answers.push_back(record.endedAt);
        }
    }
    std::sort(answers.begin(), answers.end());
    Duration longest{};
    for (std::size_t i = 1; i < answers.size(); ++i) {
        longest = std::max<Duration>(longest, answers[i] - answers[i - 1]);
    }
    return longest;
}

Verdict nothingHappened(const Settings& settings) {
    return fail("no restart", "within " + formatDuration(settings.restartLimit) + " of " +
                                  signalName(*settings.restartSignal) + " no new process had taken over alone");
}

Verdict restartConnections(Rehearsal& rehearsal) {
    const Restart restart = restartUnder(rehearsal, false);
    if (!restart.served) {
        return notApplicable(answersTooSlowly);
    }
    if (!restart.happened) {
        return nothingHappened(rehearsal.settings());
    }
    const test::LoadResult& load = restart.clients;
    const std::size_t errors = load.refused + load.failedConnects + load.lost + load.timedOut +
                               errorAnswers(load) + load.answeredWith(503);
    const std::string figure = std::to_string(errors) + " errors, gap " + formatRounded(longestGap(load));
    return errors == 0 ? pass(figure, restart.sameSocket ? "the same socket" : "another socket")
                       : fail(figure, "a client that connected during the restart was refused or reset, or got an error");
}

Verdict restartKeepAlive(Rehearsal& rehearsal) {
    const Restart restart = restartUnder(rehearsal, true);
    if (!restart.served) {
        return notApplicable(answersTooSlowly);
    }
    if (!restart.happened) {
        return nothingHappened(rehearsal.settings());
    }
    const auto& records = restart.clients.records;
    const auto onKept = static_cast<std::size_t>(std::count_if(records.begin(), records.end(), isLostOnKeptConnection));
    const std::size_t lost = onKept + errorAnswers(restart.clients) + restart.clients.answeredWith(503);
    const std::string figure = std::to_string(lost) + " lost";
    return lost == 0 ? pass(figure)
                     : fail(figure, "a client sent its next request on a connection that was open, and got no answer");
}

}  // namespace

std::vector<Scenario> restartScenarios() {
    return {
        {.name = "restart-connections",
         .passes = "during a hot restart no new connection is refused or reset",
         .why = "a restart that clients notice is an outage",
         .needs = restart,
         .run = restartConnections},
        {.name = "restart-keep-alive",
         .passes = "during a hot restart no request on a kept connection is lost",
         .why = "handing over the socket is the easy part: the connections of the old process are not",
         .needs = restart | keepAlive,
         .run = restartKeepAlive},
    };
}

}  // namespace lifecycle::check
