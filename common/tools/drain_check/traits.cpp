#include "traits.h"

#include "http_client.h"
#include "recording.h"
#include "subject.h"

namespace lifecycle::check {
namespace {

using namespace std::chrono_literals;
using test::Clock;
using test::Outcome;

bool answersTwice(const Subject& subject, const Settings& settings) {
    test::Connection connection = test::Connection::to(subject.port());
    const std::string request = test::httpRequest("GET", withWork(settings.path, 0s));
    connection.send(request);
    if (!connection.readResponse(5s).keepsAlive()) {
        return false;
    }
    connection.send(request);
    return connection.readResponse(5s).outcome == Outcome::complete;
}

bool takesTime(const Subject& subject, const Settings& settings) {
    constexpr auto work = 200ms;
    const auto duration = [&](Duration asked) {
        const auto begin = Clock::now();
        test::get(subject.port(), withWork(settings.path, asked), 10s);
        return Clock::now() - begin;
    };
    for (int attempt = 0; attempt < 3; ++attempt) {  // on a machine that stands still a request may fail
        const auto least = duration(0s);
        if (duration(work + least) >= work + least / 2) {
            return true;  // it is the parameter that takes the time
        }
    }
    return false;
}

}  // namespace

Traits probe(const Settings& settings) {
    Recording ignored;
    const Subject subject(settings, ignored);
    Traits traits;
    traits.status = subject.firstStatus();
    traits.startTook = subject.startTook();
    traits.keepsAlive = answersTwice(subject, settings);
    traits.works = settings.takesWork() && takesTime(subject, settings);
    return traits;
}

}  // namespace lifecycle::check
