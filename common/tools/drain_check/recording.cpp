#include "recording.h"

#include <algorithm>
#include <map>

namespace lifecycle::check {
namespace {

using test::Outcome;
using timeline::Kind;

constexpr std::size_t mostRows = 40;
constexpr timeline::Seconds around = 0.25;  ///< seconds of a busy load before and after the marks

Kind kindOf(Outcome outcome, int status) {
    if (outcome == Outcome::complete) {
        return status == 503 ? Kind::unavailable : Kind::served;
    }
    return outcome == Outcome::refused ? Kind::refused : Kind::lost;
}

std::string textOf(Outcome outcome, int status) {
    switch (outcome) {
    case Outcome::complete: return std::to_string(status);
    case Outcome::refused: return "refused";
    case Outcome::timeout: return "no answer";
    case Outcome::reset: return "reset";
    default: return "closed";
    }
}

/// Events that concern everybody, and how the picture calls them.
const std::map<std::string, std::string> moments{
    {"readiness.off", "readiness off"}, {"listener.closed", "listener closed"}, {"deadline.hit", "deadline"}};

}  // namespace

void Recording::begin(test::Clock::time_point now) {
    begin_ = now;
    clients_ = 0;
    rows_.clear();
    marks_.clear();
}

void Recording::request(const std::string& client, test::Clock::time_point began, test::Clock::time_point ended,
                        test::Outcome outcome, int status) {
    auto row = std::find_if(rows_.begin(), rows_.end(), [&](const auto& one) { return one.label == client; });
    if (row == rows_.end()) {
        row = rows_.insert(rows_.end(), {client});
    }
    row->bars.push_back({seconds(began), seconds(ended), kindOf(outcome, status), textOf(outcome, status)});
}

void Recording::requests(const test::LoadResult& load) {
    for (const test::LoadRecord& one : load.records) {
        request("client " + std::to_string(one.client + 1), one.beganAt, one.endedAt, one.outcome, one.status);
    }
}

void Recording::process(const std::string& name, test::Clock::time_point began, test::Clock::time_point ended) {
    const auto others = std::find_if(rows_.begin(), rows_.end(), [](const timeline::Row& row) {
        return row.bars.empty() || row.bars.front().kind != Kind::process;
    });
    rows_.insert(others, {name, {{std::max(0.0, seconds(began)), seconds(ended), Kind::process, ""}}});
}

void Recording::mark(test::Clock::time_point at, const std::string& text) {
    marks_.push_back({seconds(at), text});
}

void Recording::events(const std::vector<test::Event>& events) {
    for (const test::Event& event : events) {
        if (const auto moment = moments.find(event.word); moment != moments.end()) {
            mark(event.arrivedAt, moment->second);
        }
        if (event.word.starts_with("hook.") && event.word != "hook.begin" && event.has("name")) {
            const auto begin = std::find_if(events.begin(), events.end(), [&](const test::Event& other) {
                return other.word == "hook.begin" && other.has("name") && other.field("name") == event.field("name");
            });
            if (begin != events.end()) {
                rows_.push_back({"hook " + event.field("name"),
                                 {{seconds(begin->arrivedAt), seconds(event.arrivedAt), Kind::step, ""}}});
            }
        }
    }
}

namespace {

/// Second 0 is the first request: how long the server took to start is another story.
void beginWithFirstRequest(timeline::Timeline& picture) {
    timeline::Seconds first = picture.end();
    for (const timeline::Mark& mark : picture.marks) {
        first = std::min(first, mark.at);
    }
    for (const timeline::Row& row : picture.rows) {
        for (const timeline::Bar& bar : row.bars) {
            first = bar.kind == Kind::process ? first : std::min(first, bar.begin);
        }
    }
    for (timeline::Mark& mark : picture.marks) {
        mark.at -= first;
    }
    for (timeline::Row& row : picture.rows) {
        for (timeline::Bar& bar : row.bars) {
            bar.begin = std::max(0.0, bar.begin - first);
            bar.end = std::max(0.0, bar.end - first);
        }
    }
}

}  // namespace

timeline::Timeline Recording::timeline(const std::string& title) const {
    timeline::Timeline result{title, rows_, marks_};
    std::sort(result.marks.begin(), result.marks.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    if (result.rows.size() > mostRows) {
        result.rows.resize(mostRows);
    }
    if (result.marks.empty()) {
        return result;
    }
    const timeline::Seconds from = std::max(0.0, result.marks.front().at - around);
    for (timeline::Row& row : result.rows) {
        if (row.bars.size() > 5) {  // busy: thousands of requests in front of the story
            std::erase_if(row.bars, [&](const timeline::Bar& bar) {
                return bar.end < from || bar.begin > result.marks.back().at + around;
            });
        }
    }
    beginWithFirstRequest(result);
    return result;
}

timeline::Seconds Recording::seconds(test::Clock::time_point at) const {
    return std::chrono::duration<double>(at - begin_).count();
}

}  // namespace lifecycle::check
