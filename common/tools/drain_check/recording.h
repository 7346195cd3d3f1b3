#pragma once

#include <string>
#include <vector>

#include "event_parser.h"
#include "http_response.h"
#include "load.h"
#include "timeline.h"

namespace lifecycle::check {

/// Keeps what clients saw in a scenario, to be drawn. For one thread.
class Recording {
public:
    /// Forgets what was before: a scenario that starts several processes shows the last one.
    void begin(test::Clock::time_point now);

    /// "client 1", "client 2" and so on.
    std::string newClient() { return "client " + std::to_string(++clients_); }

    void request(const std::string& client, test::Clock::time_point began, test::Clock::time_point ended,
                 test::Outcome outcome, int status);
    void requests(const test::LoadResult& load);
    /// The life of a process, in front of everything else.
    void process(const std::string& name, test::Clock::time_point began, test::Clock::time_point ended);
    void mark(test::Clock::time_point at, const std::string& text);

    /// What a server of this project tells about itself; the log of others holds no events.
    void events(const std::vector<test::Event>& events);

    /// The picture of it. Busy clients are shown around the marks only.
    timeline::Timeline timeline(const std::string& title) const;

private:
    timeline::Seconds seconds(test::Clock::time_point at) const;

    test::Clock::time_point begin_{};
    int clients_ = 0;
    std::vector<timeline::Row> rows_;
    std::vector<timeline::Mark> marks_;
};

}  // namespace lifecycle::check
