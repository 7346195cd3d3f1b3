#include "rehearsal.h"

#include <algorithm>
#include <csignal>
#include <sstream>
#include <system_error>

#include "lifecycle/signals.h"
#include "receive_queues.h"

namespace lifecycle::check {

using namespace std::chrono_literals;
using test::Clock;
using test::Outcome;

std::string Rehearsal::path(Duration work) const {
    return withWork(settings_.path, work);
}

Duration Rehearsal::work(Duration usual) const {
    const Duration most = std::max<Duration>(settings_.timeout * 3 / 4, 300ms);  // the server may cut what takes longer
    return std::min(most, factor_ * std::min(usual, std::max<Duration>(settings_.timeout / 3, 300ms)));
}

Clock::time_point Rehearsal::stopWhile(const Asked& inFlight, Subject& subject) const {
    const auto signalled = stop(subject);
    if (inFlight.connection.answerIsHere()) {
        throw AnsweredTooEarly();
    }
    return signalled;
}

Asked Rehearsal::ask(const Subject& subject, const std::string& target) {
    const auto now = Clock::now();
    Asked asked{test::Connection::to(subject.port(), 5s), now, recording_.newClient()};
    asked.connection.send(test::httpRequest("GET", target));
    return asked;
}

void Rehearsal::askAgain(Asked& asked, const std::string& target) {
    asked.beganAt = Clock::now();
    asked.connection.send(test::httpRequest("GET", target));
}

test::Response Rehearsal::answer(Asked& asked, test::Deadline deadline) {
    test::Response response;
    if (asked.connection.error() == std::errc::connection_refused) {
        response.outcome = Outcome::refused;
        response.finishedAt = Clock::now();
    } else if (asked.connection.error() == std::errc::timed_out) {
        response.finishedAt = Clock::now();
    } else {
        response = asked.connection.readResponse(deadline);
    }
    recording_.request(asked.client, asked.beganAt, Clock::now(), response.outcome, response.status);
    return response;
}

bool Rehearsal::letArrive(const Subject& subject, Duration limit) const {
    return test::allRead(subject.port(), 1, limit);
}

test::LoadPlan Rehearsal::load(const Subject& subject, bool keepAlive, Duration work) const {
    test::LoadPlan plan;
    plan.port = subject.port();
    plan.clients = static_cast<int>(settings_.clients);
    plan.keepAlive = keepAlive;
    plan.target = path(work);
    plan.duration = settings_.timeout + settings_.lameDuck + 30s;
    plan.answerTimeout = settings_.timeout + settings_.lameDuck + 5s;
    plan.keepRecords = true;
    return plan;
}

test::Deadline Rehearsal::deadlineFrom(Clock::time_point signalled) const {
    return signalled + settings_.lameDuck + settings_.timeout + settings_.exitLimit;
}

std::optional<Verdict> Rehearsal::badEnd(const test::ExitStatus& status) const {
    if (status.signal == 0 || status.signal == settings_.signal) {
        return std::nullopt;
    }
    return fail(signalName(status.signal), "the process crashed: killed by " + signalName(status.signal));
}

Verdict Rehearsal::exitsWithin(Subject& subject, Clock::time_point since, Duration limit,
                               const std::string& suffered) const {
    const auto status = subject.waitForExit(since + settings_.lameDuck + limit);
    if (!status) {
        return fail("> " + formatDuration(settings_.lameDuck + limit), suffered);
    }
    if (const auto bad = badEnd(*status)) {
        return *bad;
    }
    if (!test::eventually([&] { return subject.listening().empty(); }, since + settings_.lameDuck + limit)) {
        return fail("left behind", "the process that was started is gone, and one that it has started serves on");
    }
    return pass(formatRounded(std::max(Clock::duration::zero(), status->at - since)));
}

bool isServed(const test::Response& response) {
    return response.outcome == Outcome::complete && response.status < 500;
}

bool isOrderly(const test::Response& response) {
    return isServed(response) || (response.outcome == Outcome::complete && response.status == 503);
}

std::size_t errorAnswers(const test::LoadResult& load) {
    std::size_t errors = 0;
    for (const auto& [status, count] : load.answered) {
        errors += status >= 500 && status != 503 ? count : 0;
    }
    return errors;
}

bool isLostOnKeptConnection(const test::LoadRecord& record) {
    return record.reused && record.outcome != Outcome::complete && record.outcome != Outcome::refused;
}

test::LoadResult endedSince(Clock::time_point signalled, const test::LoadResult& load) {
    test::LoadResult result;
    for (const test::LoadRecord& record : load.records) {
        if (record.endedAt < signalled) {
            continue;
        }
        result.records.push_back(record);
        switch (record.outcome) {
        case Outcome::complete: ++result.answered[record.status]; break;
        case Outcome::refused: ++result.refused; break;
        case Outcome::timeout: ++result.timedOut; break;
        default: ++result.lost;
        }
    }
    return result;
}

std::string fate(const test::Response& response) {
    switch (response.outcome) {
    case Outcome::complete: return "got " + std::to_string(response.status);
    case Outcome::closed: return "saw its connection closed without an answer";
    case Outcome::truncated: return "got half an answer";
    case Outcome::reset: return "was reset";
    case Outcome::malformed: return "got something that is no HTTP";
    case Outcome::timeout: return "waited and got no answer";
    case Outcome::refused: return "was refused";
    }
    return "";
}

}  // namespace lifecycle::check
