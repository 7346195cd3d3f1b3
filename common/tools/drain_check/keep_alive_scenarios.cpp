// Connections that carry one request after the other: where most restarts lose.

#include "scenario.h"

#include <set>
#include <thread>
#include <vector>

namespace lifecycle::check {
namespace {

using namespace std::chrono_literals;

Verdict idleKeepAlive(Rehearsal& rehearsal) {
    Subject subject(rehearsal.settings(), rehearsal.recording());
    std::vector<Asked> clients;
    for (int i = 0; i < 8; ++i) {
        clients.push_back(rehearsal.ask(subject, rehearsal.path(0s)));
        if (rehearsal.answer(clients.back(), rehearsal.settings().startLimit).outcome != test::Outcome::complete) {
            return notApplicable(answersTooSlowly);
        }
    }
    return rehearsal.exitsWithin(subject, rehearsal.stop(subject), rehearsal.settings().idleLimit,
                                 "8 clients were connected and idle, and the process waited for them");
}

Verdict silent(Rehearsal& rehearsal) {
    Subject subject(rehearsal.settings(), rehearsal.recording());
    std::vector<test::Connection> clients;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(test::Connection::to(subject.port()));
    }
    test::get(subject.port(), rehearsal.path(0s), rehearsal.settings().exitLimit);  // accepted in order
    return rehearsal.exitsWithin(subject, rehearsal.stop(subject), rehearsal.settings().idleLimit,
                                 "4 clients were connected and had sent nothing, and the process waited for them");
}

/// A client that loses a request connects again, and may lose the next one: counted once.
std::size_t clientsWithLoss(const test::LoadResult& load) {
    std::set<int> clients;
    for (const test::LoadRecord& record : load.records) {
        const bool error = record.outcome == test::Outcome::complete && record.status >= 500 && record.status != 503;
        if (error || isLostOnKeptConnection(record)) {
            clients.insert(record.client);
        }
    }
    return clients.size();
}

Verdict busyKeepAlive(Rehearsal& rehearsal) {
    const Settings& settings = rehearsal.settings();
    std::size_t lost = 0;
    for (unsigned round = 0; round < settings.rounds; ++round) {
        Subject subject(settings, rehearsal.recording());
        test::LoadClients clients(rehearsal.load(subject, true, 1ms));
        if (!test::eventually([&] { return clients.answered() >= 5 * settings.clients; }, settings.startLimit)) {
            return notApplicable(answersTooSlowly);
        }
        const auto signalled = rehearsal.stop(subject);
        const bool ended = subject.waitForExit(rehearsal.deadlineFrom(signalled)).has_value();
        clients.stop();
        const test::LoadResult result = clients.wait();
        rehearsal.recording().requests(result);
        lost += clientsWithLoss(endedSince(signalled, result));
        if (!ended) {
            return fail("> " + formatDuration(settings.lameDuck + settings.timeout),
                        "busy clients kept their connections, and the process never came to its end");
        }
    }
    const std::string figure =
        std::to_string(lost) + " of " + std::to_string(settings.rounds * settings.clients) + " lost";
    return lost == 0 ? pass(figure)
                     : fail(figure, "a client sent its next request on a connection that was open, and got no answer");
}

/// From the moment it takes the signal to the first response that must announce it.
constexpr auto timeToReact = 50ms;

Verdict closeAnnounced(Rehearsal& rehearsal) {
    Subject subject(rehearsal.settings(), rehearsal.recording());
    Asked client = rehearsal.ask(subject, rehearsal.path(rehearsal.work(500ms)));
    rehearsal.letArrive(subject);
    const Settings& settings = rehearsal.settings();
    const auto signalled = rehearsal.stopWhile(client, subject);
    subject.takesSignal(settings.signal, signalled + settings.refusalLimit);
    std::this_thread::sleep_for(timeToReact);
    if (client.connection.peek().status >= 200) {
        throw Missed("the answers begin before a server has had the time to react to the signal");
    }
    const test::Response response = rehearsal.answer(client, rehearsal.deadlineFrom(signalled));
    if (!isServed(response)) {
        return fail("no answer", "the client " + fate(response));
    }
    return response.keepsAlive()
               ? fail("keep-alive", "a client was told that it may send its next request here, to a server that ends")
               : pass("close");
}

}  // namespace

std::vector<Scenario> keepAliveScenarios() {
    return {
        {.name = "idle-keep-alive",
         .passes = "8 idle keep-alive connections hold the process no longer than --idle-limit",
         .why = "browsers and proxies keep connections open for minutes",
         .needs = keepAlive,
         .attempts = 2,
         .run = idleKeepAlive},
        {.name = "busy-keep-alive",
         .passes = "of --clients busy keep-alive clients, --rounds times, none loses a request on a connection it kept",
         .why = "this is how proxies talk to services: closing at the wrong moment costs a request each",
         .needs = keepAlive,
         .run = busyKeepAlive},
        {.name = "silent",
         .passes = "4 connections that never sent a byte hold the process no longer than --idle-limit",
         .why = "load balancers and browsers open connections before they need them",
         .attempts = 2,
         .run = silent},
        {.name = "close-announced",
         .passes = "an answer that begins 50 ms after the signal or later says that the connection ends (Connection: close)",
         .why = "a client that is told sends its next request elsewhere, and loses nothing",
         .needs = work | keepAlive,
         .run = closeAnnounced},
    };
}

}  // namespace lifecycle::check
