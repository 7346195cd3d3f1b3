#include "paced_load.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace lifecycle::test {

Clock::duration PacedResult::percentile(unsigned percent) const {
    if (latencies.empty()) {
        return {};
    }
    const std::size_t rank = (latencies.size() * percent + 99) / 100; // the nearest-rank method
    return latencies[std::clamp<std::size_t>(rank, 1, latencies.size()) - 1];
}

PacedResult PacedLoad::run() {
    const auto begin = Clock::now();
    std::vector<std::thread> requests;
    for (std::size_t number = 0; number < plan_.count; ++number) {
        const std::chrono::duration<double> at(static_cast<double>(number) / plan_.perSecond);
        std::this_thread::sleep_until(begin + std::chrono::duration_cast<Clock::duration>(at));
        requests.emplace_back([this] { ask(); });
    }
    for (std::thread& request : requests) {
        request.join();
    }
    std::sort(result_.latencies.begin(), result_.latencies.end());
    return result_;
}

void PacedLoad::ask() {
    const Deadline deadline = plan_.answerTimeout;
    const auto begin = Clock::now();
    Connection used = connection();
    used.send(httpRequest("GET", plan_.target), deadline); // a failure shows in the response
    const Response response = used.readResponse(deadline);

    const std::lock_guard lock(mutex_);
    ++result_.sent;
    if (response.outcome != Outcome::complete) {
        ++result_.lost;
        return;
    }
    result_.latencies.push_back(response.finishedAt - begin);
    ++(response.status == 200 ? result_.ok : result_.other);
    if (response.keepsAlive()) {
        idle_.push_back(std::move(used));
    }
}

Connection PacedLoad::connection() {
    {
        const std::lock_guard lock(mutex_);
        while (!idle_.empty()) {
            Connection last = std::move(idle_.back());
            idle_.pop_back();
            if (!last.closedByServer()) {
                return last;
            }
        }
    }
    return Connection::to(plan_.port, plan_.answerTimeout);
}

} // namespace lifecycle::test
