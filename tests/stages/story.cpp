#include "story.h"

#include "catch.h"

#include <algorithm>
#include <set>

namespace lifecycle::test {

namespace {

/// What belongs to a shutdown, in its order.
const std::vector<std::string> shutdownWords{
    "ready",          "signal",        "shutdown.begin", "readiness.off", "lame_duck.begin",
    "lame_duck.end",  "listener.closed", "drain.begin",  "drain.waiting", "drain.end",
    "deadline.hit",   "shutdown.end",  "exit"};

const std::set<std::string> otherWords{"request.begin", "request.end",    "request.refused", "request.malformed",
                                        "accept.paused", "accept.resumed", "events.dropped"};

void checkWords(const std::vector<Event>& events) {
    auto reached = shutdownWords.begin();
    for (const Event& event : events) {
        INFO("the line is: " << event.line);
        const std::size_t point = event.line.find('.');
        CHECK(event.line.find("s ") == point + 4); // +<seconds>.<ms>s
        if (otherWords.count(event.word) != 0) {
            continue;
        }
        const auto here = std::find(reached, shutdownWords.end(), event.word);
        CHECK(here != shutdownWords.end()); // unknown, too late, or there twice
        if (here != shutdownWords.end()) {
            reached = event.word == "drain.waiting" ? here : here + 1;
        }
    }
}

/// Lines that the server could not write, because this test did not get to read in time.
std::size_t droppedLines(const Process& server) {
    std::size_t count = 0;
    for (const Event& event : server.events("events.dropped")) {
        count += static_cast<std::size_t>(event.number("count"));
    }
    return count;
}

void checkSum(const Process& server, const Event& summary) {
    const auto served = static_cast<std::size_t>(summary.number("served"));
    const auto refused = static_cast<std::size_t>(summary.number("refused"));
    const auto cut = static_cast<std::size_t>(summary.number("cut"));
    const std::size_t begun = server.events("request.begin").size();
    const std::size_t ended = server.events("request.end").size();
    const std::size_t dropped = droppedLines(server);
    CHECK(begun <= served + cut);
    CHECK(ended <= served);
    CHECK(refused <= server.events("request.refused").size() + dropped);

    const auto deadline = server.events("deadline.hit");
    if (deadline.empty()) {
        CHECK(cut == 0);
        CHECK(served <= begun + dropped);
        CHECK(served <= ended + dropped);
    } else {
        CHECK(cut == static_cast<std::size_t>(deadline.front().number("cut")));
    }
}

} // namespace

void checkStory(const Process& server) {
    const std::vector<Event> events = server.events();
    CHECK(events.size() == server.standardError().size());
    CHECK(server.standardOutput().empty());
    checkWords(events);
    CHECK(std::is_sorted(events.begin(), events.end(), [](const Event& a, const Event& b) {
        return a.sinceStart < b.sinceStart;
    }));

    REQUIRE(server.exitStatus());
    REQUIRE_FALSE(events.empty());
    CHECK(events.back().word == "exit");
    CHECK(events.back().number("code") == server.exitStatus()->code);

    const auto summaries = server.events("shutdown.end");
    if (!summaries.empty() && summaries.front().has("served")) {
        checkSum(server, summaries.front());
    }
}

} // namespace lifecycle::test
