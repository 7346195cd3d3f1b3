// Clients that misbehave, and more of them than there are descriptors for.

#include "scenario.h"

#include <sys/resource.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <vector>

#include "lifecycle/signals.h"

namespace lifecycle::check {
namespace {

using namespace std::chrono_literals;
using test::Clock;

void resetInEveryState(Rehearsal& rehearsal, const Subject& subject) {
    const std::string request = test::httpRequest("GET", rehearsal.path(1ms));
    for (const std::string& sent : {std::string(), std::string("GET / HT"), request, request + request}) {
        test::Connection client = test::Connection::to(subject.port());
        if (!client.error()) {
            client.send(sent);
            client.reset();
        }
    }
}

Verdict clientResets(Rehearsal& rehearsal) {
    Subject subject(rehearsal.settings(), rehearsal.recording());
    for (int i = 0; i < 10; ++i) {
        resetInEveryState(rehearsal, subject);
    }
    Asked client = rehearsal.ask(subject, rehearsal.path(rehearsal.work(500ms)));
    if (rehearsal.traits().works) {
        rehearsal.letArrive(subject);
        resetInEveryState(rehearsal, subject);
        const auto signalled = rehearsal.stopWhile(client, subject);
        const test::Response response = rehearsal.answer(client, rehearsal.deadlineFrom(signalled));
        if (!isServed(response)) {
            return fail("lost", "others hung up, and a client in flight " + fate(response));
        }
    } else if (const test::Response response = rehearsal.answer(client, 10s); !isServed(response)) {
        return fail("lost", "others hung up, and the next client " + fate(response));
    } else {
        rehearsal.stop(subject);
    }
    client.connection.close();
    return rehearsal.exitsWithin(subject, Clock::now(), rehearsal.settings().exitLimit,
                                 "clients that had hung up held the process");
}

Verdict descriptors(Rehearsal& rehearsal) {
    const Settings& settings = rehearsal.settings();
    // UndefinedBehaviorSanitizer needs descriptors of its own, and takes their absence for an error.
    const test::ProcessOptions few{.environment = {"UBSAN_OPTIONS=halt_on_error=0", "ASAN_OPTIONS=detect_leaks=0"},
                                   .limits = {{RLIMIT_NOFILE, settings.descriptors}}};
    std::optional<Subject> started;
    try {
        started.emplace(settings, rehearsal.recording(), Subject::Wait::untilServing, few);
    } catch (const NeverListens&) {
    }
    if (!started || !isServed(test::get(started->port(), rehearsal.path(0s), 5s))) {
        return notApplicable("does not serve with " + std::to_string(settings.descriptors) + " descriptors");
    }
    Subject& subject = *started;
    std::vector<test::Connection> clients;
    for (unsigned i = 0; i < settings.descriptors + 64; ++i) {
        clients.push_back(test::Connection::to(subject.port(), 500ms));
        if (clients.back().error()) {
            break;  // the line is full
        }
        clients.back().send("GET / HT");
    }
    rehearsal.letArrive(subject, 100ms);  // most are not even accepted

    const auto began = Clock::now();
    const ThreadTimes before = subject.threadTimes();
    std::this_thread::sleep_for(1s);
    const long percent = busyPercent(before, subject.threadTimes(), Clock::now() - began);
    const std::string figure = std::to_string(percent) + " % cpu";
    if (subject.exitStatus()) {
        return fail("ended", "too many clients came, and the process ended");
    }
    if (percent > settings.cpuLimit) {
        return fail(figure, "too many clients came, and the process did nothing but fail to accept them");
    }
    clients.clear();
    if (!isServed(test::get(subject.port(), rehearsal.path(0s), settings.startLimit))) {
        return fail("deaf", "the crowd had left, and the next client still got no answer");
    }
    const Verdict verdict =
        rehearsal.exitsWithin(subject, rehearsal.stop(subject), settings.timeout + settings.exitLimit,
                              "too many clients had come, and the process did not end any more");
    return verdict.result == Verdict::Result::pass ? pass(figure) : verdict;
}

}  // namespace

std::vector<Scenario> rudeClientScenarios() {
    return {
        {.name = "client-resets",
         .passes = "50 connections reset in every state; others are served, and the exit is as quick as ever",
         .why = "mobile clients and health checks hang up all day",
         .attempts = 2,
         .run = clientResets},
        {.name = "descriptors",
         .passes = "at the limit of descriptors it does not spin (--cpu-limit), recovers, and ends by --timeout",
         .why = "a crowd at the wrong moment must not need a kill -9",
         .run = descriptors},
    };
}

}  // namespace lifecycle::check
