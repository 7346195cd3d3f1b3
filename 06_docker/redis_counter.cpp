#include "redis_counter.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace stage {
namespace {

using namespace std::chrono_literals;
using lifecycle::Context;
using lifecycle::Duration;
using Ask = RedisConnections::Ask;

constexpr Duration firstPause = 50ms;
constexpr Duration longestPause = 1s;

const char* const counterKey = "counter";
const char* const idKeys = "{counter}:";  // in a cluster the braces put them beside the counter

// Redis runs a script as a whole or not at all. The id is noted last: if INCR fails, because the
// key holds something else, nothing has happened. Source:
// https://redis.io/docs/latest/develop/programmability/eval-intro/
const char* const incrementOnce = R"(
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('INCR', KEYS[1])
redis.call('SET', KEYS[2], '', 'PX', 3600000)
return 1
)";

}  // namespace

RedisCounter::RedisCounter(const std::string& address, lifecycle::EventLog& events)
    : connections_(address),
      events_(events) {}

bool RedisCounter::waitUntilReachable(const Context& context) {
    return tryUntilDone(context, [](const Ask& ask) {
        if (ask({"PING"}) != "PONG") {
            throw std::runtime_error("the reply to PING is not PONG");
        }
    });
}

bool RedisCounter::increment(const std::string& id, const Context& context) {
    bool sent = false;
    return tryUntilDone(context, [&](const Ask& ask) {
        if (!sent) {
            ++sent_;
            sent = true;
        }
        const auto reply = ask({"EVAL", incrementOnce, "2", counterKey, idKeys + id});
        if (reply != "0" && reply != "1") {
            throw std::runtime_error("the reply to the script is not 0 or 1");
        }
    });
}

std::int64_t RedisCounter::value() {
    std::optional<std::string> text;
    try {
        connections_.with(Context::background(), [&](const Ask& ask) { text = ask({"GET", counterKey}); });
    } catch (const std::exception& error) {
        throw std::runtime_error("Redis at " + connections_.address() + ": " + error.what());
    }
    if (!text) {
        return 0;
    }
    const std::string& digits = *text;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) {
        throw std::runtime_error("Redis at " + connections_.address() + ": the key " + std::string(counterKey) +
                                 " is not a number");
    }
    return value;
}

void RedisCounter::close() {
    connections_.close();
    events_.emit("redis.closed");
}

std::string RedisCounter::error() const {
    const std::lock_guard lock(mutex_);
    return error_;
}

bool RedisCounter::tryUntilDone(const Context& context, const std::function<void(const Ask&)>& use) {
    for (Duration pause = firstPause; !context.done(); pause = std::min(2 * pause, longestPause)) {
        try {
            connections_.with(context, use);
            tellWorking();
            return true;
        } catch (const std::exception& error) {
            if (!context.done()) {  // else it has been interrupted, and Redis may be well
                tellFailing(error.what());
            }
        }
        context.waitFor(pause);
    }
    return false;
}

void RedisCounter::tellFailing(const std::string& error) {
    const std::lock_guard lock(mutex_);
    error_ = error;
    if (!failing_.exchange(true)) {
        events_.emit("redis.failing", {{"address", connections_.address()}, {"error", error}});
    }
}

void RedisCounter::tellWorking() {
    if (!failing_) {
        return;
    }
    const std::lock_guard lock(mutex_);
    error_.clear();
    if (failing_.exchange(false)) {
        events_.emit("redis.recovered", {{"address", connections_.address()}});
    }
}

}  // namespace stage
