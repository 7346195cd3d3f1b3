// Clients that take their time: by accident on a bad line, or on purpose.

#include "scenario.h"

#include <string>
#include <thread>

namespace lifecycle::check {
namespace {

using namespace std::chrono_literals;
using test::Clock;
using test::Outcome;

constexpr const char* held = "one slow client held the process beyond its deadline: it will be killed";

Duration deadline(const Rehearsal& rehearsal) {
    return rehearsal.settings().timeout + rehearsal.settings().exitLimit;
}

Verdict halfHeader(Rehearsal& rehearsal) {
    Subject subject(rehearsal.settings(), rehearsal.recording());
    test::Connection client = test::Connection::to(subject.port());
    client.send("GET / HTTP/1.1\r\nHost: loc");
    rehearsal.letArrive(subject);
    return rehearsal.exitsWithin(subject, rehearsal.stop(subject), deadline(rehearsal), held);
}

Verdict trickledHeader(Rehearsal& rehearsal) {
    Subject subject(rehearsal.settings(), rehearsal.recording());
    test::Connection client = test::Connection::to(subject.port());
    client.send("GET / HTTP/1.1\r\nX-Slow: ");
    rehearsal.letArrive(subject);
    const auto signalled = rehearsal.stop(subject);
    while (!subject.exitStatus() && !rehearsal.deadlineFrom(signalled).passed()) {
        client.send("a", 10ms);
        subject.waitForExit(50ms);
    }
    return rehearsal.exitsWithin(subject, signalled, deadline(rehearsal), held);
}

/// Asks for answers and reads none, until the server's buffers are full and it waits for us.
bool fill(test::Connection& client, const std::string& path) {
    std::string many;
    for (int i = 0; i < 500; ++i) {
        many += test::httpRequest("GET", path);
    }
    const test::Deadline patience = 10s;
    std::error_code error;
    while (!error && !patience.passed()) {
        error = client.send(many, 700ms);
    }
    return error == std::errc::timed_out;
}

Verdict slowReader(Rehearsal& rehearsal) {
    Subject subject(rehearsal.settings(), rehearsal.recording());
    test::Connection client = test::Connection::to(subject.port(), 5s, {.receiveBuffer = 4096});
    if (!fill(client, rehearsal.path(0s))) {
        return notApplicable("it does not let itself be blocked by a client that does not read");
    }
    return rehearsal.exitsWithin(subject, rehearsal.stop(subject), deadline(rehearsal),
                                 "a client that does not read its answers held the process beyond its deadline");
}

Verdict slowUpload(Rehearsal& rehearsal) {
    constexpr int pieces = 20;  // slow, not large: servers refuse what is too large before it has come
    const std::string piece(500, 'x');
    const std::string target = withWork(rehearsal.settings().uploadPath, 0s);
    Subject subject(rehearsal.settings(), rehearsal.recording());
    Asked client{test::Connection::to(subject.port()), Clock::now(), "upload"};
    client.connection.send("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n" +
                           "Content-Length: " + std::to_string(pieces * piece.size()) + "\r\n\r\n");
    const Duration pause = rehearsal.work(1s) / pieces;
    Clock::time_point signalled;
    for (int sent = 0; sent < pieces; ++sent) {
        std::this_thread::sleep_for(pause);
        if (sent == pieces / 2) {
            if (client.connection.closedByServer() ||
                client.connection.readBytes(1, 1ms).outcome == Outcome::complete) {
                return notApplicable("POST " + target + " is answered before its body has come; see --upload-path");
            }
            signalled = rehearsal.stop(subject);
        }
        client.connection.send(piece);
    }
    const Settings& settings = rehearsal.settings();
    const bool inTime = Clock::now() < signalled + settings.lameDuck + settings.timeout * 3 / 4;
    const test::Response response = rehearsal.answer(client, rehearsal.deadlineFrom(signalled));
    if (!isServed(response) && !inTime) {
        throw Missed("the body could not be sent before the server's deadline");
    }
    return isServed(response) ? pass(std::to_string(response.status))
                              : fail("lost", "a client in the middle of its upload " + fate(response));
}

Verdict stream(Rehearsal& rehearsal) {
    Subject subject(rehearsal.settings(), rehearsal.recording());
    const Duration length = rehearsal.work(1s);
    const std::string target = withWork(rehearsal.settings().streamPath, length);
    const auto begin = Clock::now();
    const test::Response whole = test::get(subject.port(), target, rehearsal.settings().startLimit);
    if (whole.status >= 400 || Clock::now() - begin < length / 2) {
        return notApplicable("GET " + target + " is no answer that takes its time (" + std::to_string(whole.status) +
                             "); see --stream-path");
    }
    Asked client = rehearsal.ask(subject, target);
    rehearsal.letArrive(subject);
    std::this_thread::sleep_for(length / 3);
    const auto signalled = rehearsal.stopWhile(client, subject);
    const test::Response response = rehearsal.answer(client, rehearsal.deadlineFrom(signalled));
    const std::string figure = std::to_string(response.bodySize) + " bytes";
    if (!isServed(response)) {
        return fail(figure, "a client in the middle of its download " + fate(response));
    }
    return response.bodySize >= whole.bodySize
               ? pass(figure)
               : fail(figure + " of " + std::to_string(whole.bodySize),
                      "a client in the middle of its download got the beginning, and took it for all");
}

}  // namespace

std::vector<Scenario> slowClientScenarios() {
    return {
        {.name = "half-header",
         .passes = "a client that has sent half a header holds the process no longer than --timeout",
         .why = "one broken client must not decide when a deployment ends",
         .attempts = 2,
         .run = halfHeader},
        {.name = "trickled-header",
         .passes = "a client that sends its header byte by byte holds the process no longer than --timeout",
         .why = "a time limit for each read never ends; only one for the whole does",
         .attempts = 2,
         .run = trickledHeader},
        {.name = "slow-reader",
         .passes = "a client that does not read its answers holds the process no longer than --timeout",
         .why = "a write to it blocks, and with it whoever waits for the writing thread",
         .needs = keepAlive,
         .attempts = 2,
         .run = slowReader},
        {.name = "slow-upload",
         .passes = "a POST to --upload-path whose body is half sent at the signal is answered",
         .why = "uploads are the longest requests, and the costliest to repeat",
         .run = slowUpload},
        {.name = "stream",
         .passes = "an answer in pieces from --stream-path arrives whole",
         .why = "the client sees a status of 200 long before it could be told of an error",
         .needs = streamPath,
         .run = stream},
    };
}

}  // namespace lifecycle::check
