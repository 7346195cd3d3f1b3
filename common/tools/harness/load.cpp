#include "load.h"

#include "http_client.h"

#include <ostream>

namespace lifecycle::test {

using namespace std::chrono_literals;

std::size_t LoadResult::answeredWith(int status) const {
    const auto found = answered.find(status);
    return found == answered.end() ? 0 : found->second;
}

std::size_t LoadResult::answeredTotal() const {
    std::size_t total = 0;
    for (const auto& [status, count] : answered) {
        total += count;
    }
    return total;
}

void LoadResult::add(const LoadResult& other) {
    sent += other.sent;
    for (const auto& [status, count] : other.answered) {
        answered[status] += count;
    }
    lost += other.lost;
    lostOnReused += other.lostOnReused;
    timedOut += other.timedOut;
    refused += other.refused;
    failedConnects += other.failedConnects;
    latencies.insert(latencies.end(), other.latencies.begin(), other.latencies.end());
    records.insert(records.end(), other.records.begin(), other.records.end());
    if (!lastAnswerAt || (other.lastAnswerAt && *other.lastAnswerAt > *lastAnswerAt)) {
        lastAnswerAt = other.lastAnswerAt;
    }
}

std::ostream& operator<<(std::ostream& stream, const LoadResult& result) {
    stream << "sent=" << result.sent;
    for (const auto& [status, count] : result.answered) {
        stream << " answered_" << status << '=' << count;
    }
    return stream << " lost=" << result.lost << " (reused " << result.lostOnReused << ')'
                  << " timed_out=" << result.timedOut << " refused=" << result.refused
                  << " failed_connects=" << result.failedConnects;
}

LoadClients::LoadClients(LoadPlan plan)
    : plan_(std::move(plan)), deadline_(plan_.duration),
      results_(static_cast<std::size_t>(plan_.clients)) {
    for (LoadResult& result : results_) {
        const auto number = static_cast<int>(threads_.size());
        threads_.emplace_back([this, number, &result] { runClient(number, result); });
    }
}

LoadClients::~LoadClients() {
    stop();
    wait();
}

void LoadClients::stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    stop_requested_.notify_all();
}

bool LoadClients::stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
}

void LoadClients::pause(Clock::duration duration) const {
    std::unique_lock lock(mutex_);
    stop_requested_.wait_for(lock, duration, [this] { return stopped_; });
}

LoadResult LoadClients::wait() {
    for (std::thread& thread : threads_) {
        thread.join();
    }
    threads_.clear();
    LoadResult total;
    for (const LoadResult& result : results_) {
        total.add(result);
    }
    return total;
}

namespace {

/// One client: at most one connection, and what became of its requests.
class Client {
public:
    Client(const LoadPlan& plan, int number, LoadResult& result)
        : plan_(plan), number_(number), result_(result),
          request_(plan.keepAlive
                       ? httpRequest(plan.method, plan.target, {}, plan.body)
                       : httpRequest(plan.method, plan.target, {{"Connection", "close"}},
                                     plan.body)) {}

    /// Makes sure there is a connection. Returns false if the server refuses one.
    bool connect() {
        if (connection_ && connection_->closedByServer()) {
            connection_.reset();
        }
        reused_ = connection_.has_value();
        const auto beganAt = Clock::now();
        if (!connection_) {
            connection_ = Connection::to(plan_.port, plan_.answerTimeout);
        }
        if (!connection_->error()) {
            return true;
        }
        const bool refused = connection_->error() == std::errc::connection_refused;
        ++(refused ? result_.refused : result_.failedConnects);
        record(beganAt, refused ? Outcome::refused : Outcome::timeout, 0);
        connection_.reset();
        return false;
    }

    /// Sends one request and waits for its end. Returns whether it was answered.
    bool ask() {
        const auto beganAt = Clock::now();
        const Deadline deadline(beganAt + plan_.answerTimeout);
        ++result_.sent;
        connection_->send(request_, deadline); // a failure shows in the response: there is none
        const Response response = connection_->readResponse(deadline, plan_.method != "HEAD", 0);

        const bool answered = response.outcome == Outcome::complete;
        record(beganAt, response.outcome, response.status);
        if (answered) {
            ++result_.answered[response.status];
            result_.latencies.push_back(response.finishedAt - beganAt);
            result_.lastAnswerAt = response.finishedAt;
        } else if (response.outcome == Outcome::timeout) {
            ++result_.timedOut;
        } else {
            ++result_.lost;
            result_.lostOnReused += reused_ ? 1 : 0;
        }
        if (!answered || !plan_.keepAlive || !response.keepsAlive()) {
            connection_.reset();
        }
        return answered;
    }

private:
    void record(Clock::time_point beganAt, Outcome outcome, int status) {
        if (plan_.keepRecords) {
            result_.records.push_back({number_, beganAt, Clock::now(), outcome, status, reused_});
        }
    }

    const LoadPlan& plan_;
    const int number_;
    LoadResult& result_;
    const std::string request_;
    std::optional<Connection> connection_;
    bool reused_ = false;
};

} // namespace

void LoadClients::runClient(int number, LoadResult& result) {
    Client client(plan_, number, result);
    const auto mayGoOn = [&] {
        return !stopped() && !deadline_.passed() &&
               (!plan_.requestsPerClient || result.sent < *plan_.requestsPerClient);
    };
    while (mayGoOn()) {
        if (client.connect()) {
            answered_ += client.ask() ? 1 : 0;
            if (plan_.thinkTime > Clock::duration::zero()) {
                pause(plan_.thinkTime);
            }
        } else if (plan_.untilRefused && result.refused > 0) {
            return;
        } else {
            pause(1ms); // nobody is there: try again, but do not spin
        }
    }
}

} // namespace lifecycle::test
