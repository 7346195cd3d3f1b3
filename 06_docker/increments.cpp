#include "increments.h"

#include <algorithm>
#include <exception>

#include <Poco/UUIDGenerator.h>

namespace stage {

using namespace std::chrono_literals;
using lifecycle::Context;

Increments::Increments(Counter& counter, lifecycle::Duration work, unsigned maxJobs,
                       lifecycle::EventLog& events)
    : counter_(counter),
      work_(work),
      maxJobs_(maxJobs),
      events_(events),
      process_(Poco::UUIDGenerator::defaultGenerator().createRandom().toString()),
      abandoned_(withCancel(Context::background())) {}

bool Increments::reserve() {
    unsigned running = running_;
    while (running < maxJobs_) {
        if (running_.compare_exchange_weak(running, running + 1)) {
            return true;
        }
    }
    return false;
}

bool Increments::begin() {
    if (!reserve()) {
        return false;
    }
    ++begun_;
    bool taken = false;
    try {
        taken = jobs_.go([this, id = nextId()] {
            if (!abandoned_.context.waitFor(work_) && counter_.increment(id, abandoned_.context)) {
                ++applied_;
            }
            --running_;
        });
    } catch (const std::exception&) {  // no thread or no memory left
    }
    if (!taken) {
        --begun_;
        --running_;
    }
    return taken;
}

bool Increments::doNow(const Context& context) {
    return !context.waitFor(work_) && counter_.increment(nextId(), context);
}

bool Increments::wait(const Context& context) {
    const lifecycle::TimePoint begin = lifecycle::Clock::now();
    events_.emit("jobs.begin", {{"in_flight", jobs_.count()}});
    while (!jobs_.wait(withTimeout(context, 1s).context)) {
        if (context.done()) {
            return false;
        }
        events_.emit("jobs.waiting",
                     {{"in_flight", jobs_.count()}, {"remaining", context.remaining()}});
    }
    events_.emit("jobs.end", {{"took", lifecycle::Clock::now() - begin}});
    return true;
}

Increments::Tally Increments::tally() const {
    // In this order: what is applied meanwhile is counted as sent, and so never as lost.
    Tally tally;
    tally.applied = applied_;
    tally.unapplied = begun_ - tally.applied;
    tally.unconfirmed = std::min(counter_.sent() - tally.applied, tally.unapplied);
    return tally;
}

Increments::Tally Increments::abandon() {
    abandoned_.cancel("abandoned");
    return tally();
}

std::string Increments::nextId() {
    return process_ + "-" + std::to_string(++ids_);
}

}  // namespace stage
