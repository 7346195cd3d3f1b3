// The door: who is in line when it closes, and what those see that come later.

#include "scenario.h"

#include <algorithm>
#include <thread>
#include <vector>

namespace lifecycle::check {
namespace {

using namespace std::chrono_literals;
using test::Clock;
using test::Outcome;

/// Keeps the process there for as long as the scenario looks at its door.
Asked holdOpen(Rehearsal& rehearsal, const Subject& subject) {
    const Settings& settings = rehearsal.settings();
    const Duration long_ = settings.lameDuck + settings.refusalLimit + 500ms;
    const Duration work = std::min(long_, settings.lameDuck + settings.timeout * 4 / 5);
    Asked client = rehearsal.ask(subject, rehearsal.path(work));
    rehearsal.letArrive(subject);
    return client;
}

bool isTurnedAway(const test::Response& response) {
    return response.outcome == Outcome::refused || response.status == 503;
}

/// How long one client waits before the next one is tried. Those that come before the server could react to the
/// signal may wait for nothing; the verdict is about one that came late.
Duration patience(const Settings& settings, bool late) {
    return late ? settings.refusalLimit : settings.refusalLimit / 10;
}

Verdict newConnections(Rehearsal& rehearsal) {
    const Settings& settings = rehearsal.settings();
    Subject subject(settings, rehearsal.recording());
    Asked working = holdOpen(rehearsal, subject);
    const auto signalled = rehearsal.stop(subject);
    const auto limit = signalled + settings.lameDuck + settings.refusalLimit;

    constexpr int forGood = 6;
    int turnedAway = 0;  // one after the other
    std::string figure;
    while (turnedAway < forGood) {
        Asked client = rehearsal.ask(subject, rehearsal.path(0s));
        client.client = "new connections";
        const bool late = client.beganAt >= limit;
        const test::Response response = rehearsal.answer(client, Clock::now() + patience(settings, late));
        if (isTurnedAway(response)) {
            if (++turnedAway == 1) {
                figure = (response.status == 503 ? "503 after " : "after ") + formatRounded(client.beganAt - signalled);
            }
        } else if (late && turnedAway > 0) {
            return fail("not for good", "one client was turned away, and one behind it " + fate(response));
        } else if (late) {
            return fail("after " + formatRounded(client.beganAt - signalled),
                        "a client that came long after the signal " + fate(response));
        } else {
            turnedAway = 0;
            std::this_thread::sleep_for(2ms);
        }
    }
    if (working.connection.answerIsHere()) {
        throw AnsweredTooEarly();  // what turned the last ones away may be the end of the process
    }
    return pass(figure);
}

/// Its own connection from before the signal may see the 503, or a new one.
Verdict readiness(Rehearsal& rehearsal) {
    const Settings& settings = rehearsal.settings();
    Subject subject(settings, rehearsal.recording());
    Asked working;
    if (rehearsal.traits().works) {
        working = holdOpen(rehearsal, subject);
    }
    Asked probe = rehearsal.ask(subject, settings.readyPath);
    if (rehearsal.answer(probe, 5s).status != 200) {
        return notApplicable(settings.readyPath + " does not answer 200 before the signal");
    }
    const auto signalled = rehearsal.stop(subject);
    const auto limit = signalled + settings.lameDuck + settings.refusalLimit;
    while (true) {
        const bool late = Clock::now() >= limit;
        if (probe.connection.error() || probe.connection.closedByServer()) {
            probe = rehearsal.ask(subject, settings.readyPath);
        } else {
            rehearsal.askAgain(probe, settings.readyPath);
        }
        probe.client = "readiness probe";
        const test::Response response = rehearsal.answer(probe, Clock::now() + patience(settings, late));
        const bool complete = response.outcome == Outcome::complete;
        if (complete && response.status != 200) {
            return pass(std::to_string(response.status) + " after " + formatRounded(Clock::now() - signalled));
        }
        if (response.outcome == Outcome::refused || (late && !complete)) {
            if (!rehearsal.traits().works && subject.waitForExit(Clock::now() + 100ms)) {
                return notApplicable("it was gone before it could be asked; see {ms} in --path");
            }
            if (working.connection.answerIsHere()) {
                throw AnsweredTooEarly();  // the door may have closed with the end of the process
            }
            return fail("never off", "the load balancer's probe " + fate(response) + ", and never heard \"not ready\"");
        }
        if (late) {
            return fail("still ready", "the load balancer's probe got 200 long after the signal, and sent more clients");
        }
        if (!response.keepsAlive() || !complete) {
            probe.connection.close();  // the next one is a new one
        }
        std::this_thread::sleep_for(2ms);
    }
}

/// Every one of those who could connect must be told something.
Verdict everybodyHears(Rehearsal& rehearsal, std::vector<Asked>& clients, Clock::time_point signalled) {
    std::size_t heard = 0;
    std::size_t lost = 0;
    std::string suffered;
    for (Asked& client : clients) {
        if (client.connection.error()) {
            continue;  // it found no place in line, and knows that
        }
        const test::Response response = rehearsal.answer(client, rehearsal.deadlineFrom(signalled));
        if (isOrderly(response)) {
            ++heard;
        } else {
            ++lost;
            suffered = fate(response);
        }
    }
    if (heard + lost == 0) {
        return notApplicable("nobody could connect");
    }
    const std::string all = std::to_string(heard + lost);
    return lost == 0 ? pass(std::to_string(heard) + " of " + all)
                     : fail(std::to_string(lost) + " of " + all + " lost", suffered);
}

Verdict inLineOnce(Rehearsal& rehearsal) {
    Subject subject(rehearsal.settings(), rehearsal.recording());
    test::get(subject.port(), rehearsal.path(0s));  // it serves: whatever it has to start is there
    subject.freeze();
    std::vector<Asked> clients;
    for (unsigned i = 0; i < rehearsal.settings().clients && (i == 0 || !clients.back().connection.error()); ++i) {
        clients.push_back(rehearsal.ask(subject, rehearsal.path(5ms)));
    }
    const auto signalled = rehearsal.stop(subject);
    subject.goOn();
    Verdict verdict = everybodyHears(rehearsal, clients, signalled);
    if (verdict.result == Verdict::Result::fail) {
        verdict.remark = "a client that was connected, its request sent, and not yet accepted " + verdict.remark;
    }
    return verdict;
}

/// Which of the two a server meets first when it goes on, the signal or the clients, is up to chance.
Verdict inLine(Rehearsal& rehearsal) {
    Verdict verdict = inLineOnce(rehearsal);
    for (unsigned round = 1; round < rehearsal.settings().rounds && verdict.result == Verdict::Result::pass; ++round) {
        verdict = inLineOnce(rehearsal);
    }
    return verdict;
}

Verdict queued(Rehearsal& rehearsal) {
    const Settings& settings = rehearsal.settings();
    Subject subject(settings, rehearsal.recording());
    const Duration inTurn = settings.timeout * 3 / 4 / settings.clients;  // one after the other they end in time
    const Duration each = rehearsal.work(std::clamp<Duration>(inTurn, 5ms, 150ms));
    std::vector<Asked> clients;
    for (unsigned i = 0; i < settings.clients; ++i) {
        clients.push_back(rehearsal.ask(subject, rehearsal.path(each)));
    }
    rehearsal.letArrive(subject, 100ms);  // those in line are not read
    const auto signalled = rehearsal.stopWhile(clients.back(), subject);
    Verdict verdict = everybodyHears(rehearsal, clients, signalled);
    if (verdict.result == Verdict::Result::fail) {
        if (each > inTurn) {
            throw Missed("the requests may have taken longer than --timeout, one after the other");
        }
        verdict.remark = "a client whose request was sent before the signal " + verdict.remark;
    }
    subject.waitForExit(signalled + settings.exitLimit);
    return verdict;
}

/// Clients that connect anew for each request, so that at any moment some are on their way.
Verdict burst(Rehearsal& rehearsal) {
    const Settings& settings = rehearsal.settings();
    test::LoadResult total;
    for (unsigned round = 0; round < settings.rounds; ++round) {
        Subject subject(settings, rehearsal.recording());
        test::LoadClients clients(rehearsal.load(subject, false, 1ms));
        if (!test::eventually([&] { return clients.answered() >= 2 * settings.clients; }, settings.startLimit)) {
            return notApplicable(answersTooSlowly);
        }
        const auto signalled = rehearsal.stop(subject);
        subject.waitForExit(rehearsal.deadlineFrom(signalled));
        clients.stop();
        const test::LoadResult result = clients.wait();
        rehearsal.recording().requests(result);
        total.add(endedSince(signalled, result));
    }
    const std::size_t wrong = errorAnswers(total);
    const std::size_t lost = total.lost + total.timedOut + total.failedConnects + wrong;
    const std::size_t unavailable = total.answeredWith(503);
    std::string others = std::to_string(total.answeredTotal() - unavailable - wrong) + " served, ";
    others += unavailable == 0 ? "" : std::to_string(unavailable) + " told 503, ";
    others += std::to_string(total.refused) + " refused";
    const std::string figure = std::to_string(lost) + " reset";
    return lost == 0 ? pass(figure, others)
                     : fail(figure, "a client that connected while the signal came got no answer (" + others + ")");
}

}  // namespace

std::vector<Scenario> listenerScenarios() {
    return {
        {.name = "new-connections",
         .passes = "with a request still in flight, new connections are refused or told 503 within --refusal-limit",
         .why = "a refused client goes elsewhere at once; one that hangs in a dead queue does not",
         .needs = work,
         .attempts = 2,
         .run = newConnections},
        {.name = "readiness",
         .passes = "--ready-path stops saying 200 before the door closes",
         .why = "load balancers believe it: until it changes they send clients",
         .needs = readyPath,
         .attempts = 2,
         .run = readiness},
        {.name = "in-line",
         .passes = "--clients requests that wait to be accepted when the signal comes are served or told 503, "
                   "--rounds times",
         .why = "the kernel has accepted them: to their senders the server has them, and a reset is a loss",
         .run = inLine},
        {.name = "queued",
         .passes = "--clients requests sent at once, more than most have threads, all get an answer",
         .why = "what waits in the server's own queue was accepted, too",
         .needs = work,
         .run = queued},
        {.name = "burst",
         .passes = "of --clients that connect again and again while the signal arrives, --rounds times, none is reset",
         .why = "served, refused or told 503: all fine, the client knows; after a reset it does not",
         .run = burst},
    };
}

}  // namespace lifecycle::check
