#include "log.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "event_parser.h"
#include "kinds.h"
#include "processes.h"

namespace lifecycle::timeline {
namespace {

using test::Event;

/// The text of the mark for an event that concerns the whole picture.
std::optional<std::string> momentOf(const Event& event) {
    static const std::map<std::string, std::string> moments{{"readiness.off", "readiness off"},
                                                            {"listener.closed", "listener closed"},
                                                            {"drain.begin", "drain"},
                                                            {"deadline.hit", "deadline"},
                                                            {"restart.handed_over", "handed over"},
                                                            {"restart.failed", "restart failed"},
                                                            {"restart.rollback", "rolled back"}};
    if (event.word == "signal" && event.has("name")) {
        return event.field("name");
    }
    if (event.word == "exit") {
        return event.has("code") ? "exit " + event.field("code") : "exit";
    }
    if (event.word == "counter.total" && event.has("value")) {
        return "counter is " + event.field("value");
    }
    const auto moment = moments.find(event.word);
    return moment == moments.end() ? std::nullopt : std::optional(moment->second);
}

bool isOfClient(const Event& event) {
    return event.word.starts_with("client.");
}

/// Bars that one event begins and another ends: processes, requests and steps.
class Reader {
public:
    explicit Reader(Processes processes) : processes_(std::move(processes)) {}

    void read(const Event& event) {
        if (isOfClient(event)) {
            if (event.word == "client.refused") {
                const Seconds at = event.sinceStart.count();
                rows_.push_back({clients, {"new connection", {{at, at, Kind::refused, "refused"}}}});
            }
            if (event.word == "client.killed") {
                kill(event);
            }
            return;
        }
        const std::size_t process = processes_.authorOf(event);
        const Seconds at = processes_.timeOf(event);
        process_ = process;
        if (const auto moment = momentOf(event)) {
            marks_.push_back({process, {at, *moment}});
        } else if (isReady(event) && process != 0) {
            marks_.push_back({process, {at, "ready"}});
        }
        if (isReady(event)) {
            beginProcess(process, processes_.beganAt(process));
        } else if (event.word == "restart.spawned") {
            if (const auto spawned = processes_.find(pidIn(event, "new_pid"))) {
                beginProcess(*spawned, at);
            }
        } else if (event.word == "exit") {
            endProcess(at, "");
        } else if (event.word == "request.begin") {
            beginInFreeRow("request " + fieldOf(event, "id"), fieldOf(event, "method") + " " + fieldOf(event, "path"),
                           at);
        } else if (event.word == "request.end") {
            const std::string status = fieldOf(event, "status");
            end("request " + fieldOf(event, "id"), at, status == "503" ? Kind::unavailable : Kind::served, status);
            firstResponses_.emplace(process, at);
        } else if (event.word == "lame_duck.begin") {
            begin("lame duck", "lame duck", at);
        } else if (event.word == "lame_duck.end") {
            end("lame duck", at, Kind::step, "");
        } else if (event.word == "jobs.begin") {
            begin("jobs", "wait for jobs", at);
        } else if (event.word == "jobs.end") {
            end("jobs", at, Kind::step, "");
        } else if (event.word == "hook.begin") {
            begin("hook " + fieldOf(event, "name"), "hook " + fieldOf(event, "name"), at);
        } else if (event.word.starts_with("hook.")) {
            end("hook " + fieldOf(event, "name"), at, Kind::step, event.word == "hook.end" ? "" : event.word.substr(5));
        } else if (event.word == "shutdown.begin" || event.word == "restart.handed_over") {
            begin("stop", "stop work", at);
        } else if (event.word == "shutdown.end") {
            endStop(event, at);
        } else if (event.word == "restart.rollback") {
            end("stop", at, Kind::step, "taken back");
        } else if (event.word == "deadline.hit") {
            deadlines_[process] = at;
        }
        if (const auto exited = processes_.find(exitedPid(event))) {
            process_ = *exited;
            endProcess(at, "gone");
        }
    }

    Timeline finish(const std::string& title) {
        Timeline timeline{title};
        for (auto& [process, mark] : marks_) {
            if (processes_.count() == 1) {
                timeline.marks.push_back(mark);
            } else if (mark.text != "drain" && mark.text != "readiness off") {  // too much for every process
                timeline.marks.push_back({mark.at, processes_.name(process) + ": " + mark.text});
            }
        }
        for (const auto& [process, row] : rows_) {
            timeline.rows.push_back(row);
        }
        const Seconds last = timeline.end();
        timeline.rows.clear();
        std::stable_sort(timeline.marks.begin(), timeline.marks.end(),
                         [](const Mark& a, const Mark& b) { return a.at < b.at; });
        while (!open_.empty()) {
            const auto [process, name] = open_.begin()->first;
            process_ = process;
            if (name.starts_with("request")) {
                endRequest(name, last);
            } else {
                end(name, last, name == "process" ? Kind::process : Kind::step, "");
            }
        }
        // Each process, and below it what it did.
        std::stable_sort(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        for (auto& [process, row] : rows_) {
            row.label = row.label.empty() ? processes_.name(process) : row.label;
            timeline.rows.push_back(std::move(row));
        }
        return timeline;
    }

private:
    static constexpr std::size_t clients = std::numeric_limits<std::size_t>::max();

    /// A process cannot log its own SIGKILL, so the sender logs it.
    void kill(const Event& event) {
        const Seconds at = event.sinceStart.count();
        process_ = processes_.find(pidIn(event, "pid")).value_or(0);
        marks_.push_back({process_, {at, "SIGKILL"}});
        endProcess(at, "killed");
    }

    /// The stop work, if the event tells how it ended, and the background work, if there was any.
    void endStop(const Event& event, Seconds at) {
        const std::string cause = fieldOf(event, "cause");
        const bool isCut = cause == "deadline exceeded";
        const Kind kind = cause.empty() ? Kind::step : isCut ? Kind::lostWork : Kind::work;
        end("stop", at, kind, cause.empty() ? "" : isCut ? "cut" : "done");
        const int done = std::atoi(fieldOf(event, "applied").c_str());
        const int lost = std::atoi(fieldOf(event, "unapplied").c_str());
        const auto first = firstResponses_.find(process_);
        if (done + lost == 0 || first == firstResponses_.end()) {
            return;
        }
        const std::string text = (done == 0 ? "" : std::to_string(done) + " done") +
                                 (done == 0 || lost == 0 ? "" : ", ") +
                                 (lost == 0 ? "" : std::to_string(lost) + " lost");
        rows_.push_back({process_,
                         {"background work", {{first->second, at, lost == 0 ? Kind::work : Kind::lostWork, text}}}});
    }

    static std::string fieldOf(const Event& event, const std::string& name) {
        return event.has(name) ? event.field(name) : "";
    }

    void beginProcess(std::size_t process, Seconds at) {
        process_ = process;
        if (lanes_.insert(process).second) {
            begin("process", "", at);
        }
    }

    /// And its requests: those without a response by now get none.
    void endProcess(Seconds at, const std::string& text) {
        end("process", at, Kind::process, text);
        const auto open = open_;
        for (const auto& [key, row] : open) {
            if (key.first == process_ && key.second.starts_with("request")) {
                endRequest(key.second, at);
            }
        }
    }

    void endRequest(const std::string& key, Seconds at) {
        const auto deadline = deadlines_.find(process_);
        const bool isCut = deadline != deadlines_.end();
        const Kind kind = isCut ? Kind::cut : Kind::lost;
        end(key, isCut ? deadline->second : at, kind, lookOf(kind).word);
    }

    void begin(const std::string& key, const std::string& label, Seconds at) {
        open_[{process_, key}] = rows_.size();
        rows_.push_back({process_, {label, {{at, at, Kind::step, ""}}}});
    }

    /// In a free row with the same label if there is one, so that many short requests take one row.
    void beginInFreeRow(const std::string& key, const std::string& label, Seconds at) {
        for (std::size_t row = 0; row < rows_.size(); ++row) {
            const bool isFree =
                std::none_of(open_.begin(), open_.end(), [row](const auto& one) { return one.second == row; });
            if (rows_[row].first == process_ && rows_[row].second.label == label && isFree) {
                open_[{process_, key}] = row;
                rows_[row].second.bars.push_back({at, at, Kind::step, ""});
                return;
            }
        }
        begin(key, label, at);
    }

    void end(const std::string& key, Seconds at, Kind kind, const std::string& text) {
        const auto row = open_.find({process_, key});
        if (row == open_.end()) {
            return;
        }
        Bar& bar = rows_[row->second].second.bars.back();
        bar = {bar.begin, at, kind, text};
        open_.erase(row);
    }

    Processes processes_;
    std::size_t process_ = 0;  ///< that wrote the current event
    std::vector<std::pair<std::size_t, Row>> rows_;
    std::vector<std::pair<std::size_t, Mark>> marks_;
    std::map<std::pair<std::size_t, std::string>, std::size_t> open_;  ///< the row of each bar that has not ended
    std::map<std::size_t, Seconds> deadlines_;
    std::map<std::size_t, Seconds> firstResponses_;
    std::set<std::size_t> lanes_;
};

}  // namespace

Timeline readLog(std::istream& log, const std::string& title) {
    std::vector<Event> events;
    std::vector<Event> ofServer;
    for (std::string line; std::getline(log, line);) {
        if (const auto event = test::parseEvent(line)) {
            events.push_back(*event);
            if (!isOfClient(*event)) {
                ofServer.push_back(*event);
            }
        }
    }
    Reader reader{Processes(ofServer)};
    for (const Event& event : events) {
        reader.read(event);
    }
    return reader.finish(title);
}

}  // namespace lifecycle::timeline
