#pragma once

#include <stdexcept>
#include <optional>
#include <string>

#include "http_client.h"
#include "lifecycle/duration.h"
#include "load.h"
#include "recording.h"
#include "settings.h"
#include "subject.h"
#include "traits.h"
#include "verdict.h"

namespace lifecycle::check {

/// A request on its way.
struct Asked {
    test::Connection connection;
    test::Clock::time_point beganAt;
    std::string client;
};

/// The machine stalled, and the moment that the scenario is about did not occur: the run proves nothing about the
/// server, and must be repeated with more work.
class Missed : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A request that should be in flight at the signal was not.
class AnsweredTooEarly : public Missed {
public:
    AnsweredTooEarly() : Missed("every answer came before the signal could be sent") {}
};

/// What every scenario has at hand: the settings, and clients whose requests are recorded.
class Rehearsal {
public:
    Rehearsal(const Settings& settings, const Traits& traits) : settings_(settings), traits_(traits) {}

    const Settings& settings() const { return settings_; }
    const Traits& traits() const { return traits_; }
    Recording& recording() { return recording_; }

    /// The path to ask for, with that much work if it takes any.
    std::string path(Duration work) const;
    /// About so much work: less if the server's deadline is close, more after slower().
    Duration work(Duration usual) const;
    void slower() { factor_ *= 2; }

    /// Connects and sends `GET target`; the connection is to be kept alive.
    Asked ask(const Subject& subject, const std::string& target);
    /// Sends the next request on the same connection.
    void askAgain(Asked& asked, const std::string& target);
    /// Waits for the answer.
    test::Response answer(Asked& asked, test::Deadline deadline);

    /// Sends the shutdown signal.
    test::Clock::time_point stop(Subject& subject) const { return subject.signal(settings_.signal); }

    /// The same while this request is in flight. Throws AnsweredTooEarly if it is no more.
    test::Clock::time_point stopWhile(const Asked& inFlight, Subject& subject) const;

    /// Waits until the server has read all that was sent to it. False if it does not do so in time: the rest is
    /// in line, and must not be lost either.
    bool letArrive(const Subject& subject, Duration limit = std::chrono::seconds(1)) const;

    /// Busy clients; the load ends at the latest some time behind the deadline of the server.
    test::LoadPlan load(const Subject& subject, bool keepAlive, Duration work) const;

    /// The moment up to which a server may take whatever its clients do.
    test::Deadline deadlineFrom(test::Clock::time_point signalled) const;

    /// A fail if the process has crashed.
    std::optional<Verdict> badEnd(const test::ExitStatus& status) const;

    /// Passes if the process is gone within `limit` (and the lame duck) of `since`, did not crash, and has
    /// left nobody behind who listens.
    Verdict exitsWithin(Subject& subject, test::Clock::time_point since, Duration limit,
                        const std::string& suffered) const;

private:
    const Settings& settings_;
    const Traits& traits_;
    Recording recording_;
    int factor_ = 1;
};

/// A whole answer that is no failure of the server.
bool isServed(const test::Response& response);
/// Served, or told honestly that it is not.
bool isOrderly(const test::Response& response);
/// Complete answers that are a failure of the server, 503 apart: that one says where to go.
std::size_t errorAnswers(const test::LoadResult& load);
/// Sent on a connection that had served a request before, and without a response. What is lost on a new connection
/// is the listener's fault: `burst` and `restart-connections` find it.
bool isLostOnKeptConnection(const test::LoadRecord& record);
/// Those of its requests that ended after the signal: what clients lose earlier is not caused by the shutdown.
test::LoadResult endedSince(test::Clock::time_point signalled, const test::LoadResult& load);
/// "was reset", "got no answer": for the sentence about a client.
std::string fate(const test::Response& response);

}  // namespace lifecycle::check
