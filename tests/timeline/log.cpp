#include "log.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "event_parser.h"
#include "kinds.h"

namespace lifecycle::timeline {
namespace {

using test::Event;

/// Words for moments that concern everybody.
std::optional<std::string> momentOf(const Event& event) {
    static const std::map<std::string, std::string> moments{{"readiness.off", "readiness off"},
                                                            {"listener.closed", "listener closed"},
                                                            {"drain.begin", "drain"},
                                                            {"deadline.hit", "deadline"}};
    if (event.word == "signal" && event.has("name")) {
        return event.field("name");
    }
    if (event.word == "exit") {
        return event.has("code") ? "exit " + event.field("code") : "exit";
    }
    const auto moment = moments.find(event.word);
    return moment == moments.end() ? std::nullopt : std::optional(moment->second);
}

/// Bars that one event begins and another ends: requests and steps.
class Reader {
public:
    explicit Reader(std::string title) { timeline_.title = std::move(title); }

    void take(const Event& event) {
        const Seconds at = event.since_start.count();
        if (const auto moment = momentOf(event)) {
            timeline_.marks.push_back({at, *moment});
        }
        if (event.word == "ready") {
            begin("process", "process", 0);
        } else if (event.word == "exit") {
            end("process", at, Kind::process, "");
        } else if (event.word == "request.begin") {
            beginBehind("request " + fieldOf(event, "id"), fieldOf(event, "method") + " " + fieldOf(event, "path"), at);
        } else if (event.word == "request.end") {
            const std::string status = fieldOf(event, "status");
            end("request " + fieldOf(event, "id"), at, status == "503" ? Kind::unavailable : Kind::served, status);
        } else if (event.word == "client.refused") {
            timeline_.rows.push_back({"new connection", {{at, at, Kind::refused, "refused"}}});
        } else if (event.word == "lame_duck.begin") {
            begin("lame duck", "lame duck", at);
        } else if (event.word == "lame_duck.end") {
            end("lame duck", at, Kind::step, "");
        } else if (event.word == "hook.begin") {
            begin("hook " + fieldOf(event, "name"), "hook " + fieldOf(event, "name"), at);
        } else if (event.word.starts_with("hook.")) {
            end("hook " + fieldOf(event, "name"), at, Kind::step, event.word == "hook.end" ? "" : event.word.substr(5));
        } else if (event.word == "shutdown.begin") {
            begin("stop", "stop work", at);
        } else if (event.word == "shutdown.end") {
            end("stop", at, Kind::step, "");
        } else if (event.word == "deadline.hit") {
            deadline_ = at;
        }
    }

    Timeline finish() {
        const Seconds last = timeline_.end();
        for (const auto& [key, row] : open_) {
            Bar& bar = timeline_.rows[row].bars.back();
            const bool isRequest = key.starts_with("request");
            bar.end = isRequest ? deadline_.value_or(last) : last;
            bar.kind = isRequest ? (deadline_ ? Kind::cut : Kind::lost) : key == "process" ? Kind::process : Kind::step;
            bar.text = isRequest ? lookOf(bar.kind).word : "";
        }
        return timeline_;
    }

private:
    static std::string fieldOf(const Event& event, const std::string& name) {
        return event.has(name) ? event.field(name) : "";
    }

    void begin(const std::string& key, const std::string& label, Seconds at) {
        open_[key] = timeline_.rows.size();
        timeline_.rows.push_back({label, {{at, at, Kind::step, ""}}});
    }

    /// In a row of the same label that is free again, so that many short ones take one row.
    void beginBehind(const std::string& key, const std::string& label, Seconds at) {
        for (std::size_t row = 0; row < timeline_.rows.size(); ++row) {
            const bool isFree = std::none_of(open_.begin(), open_.end(), [row](const auto& one) { return one.second == row; });
            if (timeline_.rows[row].label == label && isFree) {
                open_[key] = row;
                timeline_.rows[row].bars.push_back({at, at, Kind::step, ""});
                return;
            }
        }
        begin(key, label, at);
    }

    void end(const std::string& key, Seconds at, Kind kind, const std::string& text) {
        const auto row = open_.find(key);
        if (row == open_.end()) {
            return;
        }
        Bar& bar = timeline_.rows[row->second].bars.back();
        bar = {bar.begin, at, kind, text};
        open_.erase(row);
    }

    Timeline timeline_;
    std::map<std::string, std::size_t> open_;  ///< the row of each bar that has not ended
    std::optional<Seconds> deadline_;
};

}  // namespace

Timeline readLog(std::istream& log, const std::string& title) {
    Reader reader(title);
    for (std::string line; std::getline(log, line);) {
        if (const auto event = test::parseEvent(line)) {
            reader.take(*event);
        }
    }
    return reader.finish();
}

}  // namespace lifecycle::timeline
