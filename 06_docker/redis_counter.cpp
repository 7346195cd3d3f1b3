#include "redis_counter.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include <Poco/Exception.h>
#include <Poco/Redis/Array.h>

namespace stage {
namespace {

using namespace std::chrono_literals;
using lifecycle::Context;
using lifecycle::Duration;
using Poco::Redis::Array;
using Poco::Redis::Client;

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

Array command(std::initializer_list<std::string> words) {
    Array array;
    for (const std::string& word : words) {
        array.add(word);
    }
    return array;
}

}  // namespace

RedisCounter::RedisCounter(const std::string& address, lifecycle::EventLog& events)
    : connections_(address),
      events_(events) {}

bool RedisCounter::waitUntilReachable(const Context& context) {
    return tryUntilDone(context,
                        [](Client& client) { client.execute<std::string>(command({"PING"})); });
}

bool RedisCounter::increment(const std::string& id, const Context& context) {
    const Array once = command({"EVAL", incrementOnce, "2", counterKey, idKeys + id});
    bool sent = false;
    const bool done = tryUntilDone(context, [&](Client& client) {
        if (!sent) {
            ++unconfirmed_;
            sent = true;
        }
        client.execute<Poco::Int64>(once);
    });
    if (done) {
        --unconfirmed_;
    }
    return done;
}

std::int64_t RedisCounter::value() {
    Poco::Redis::BulkString text;
    try {
        connections_.with([&](Client& client) {
            text = client.execute<Poco::Redis::BulkString>(command({"GET", counterKey}));
        });
    } catch (const Poco::Exception& error) {
        throw std::runtime_error("Redis at " + connections_.address() + ": " + error.displayText());
    }
    if (text.isNull()) {
        return 0;
    }
    const std::string& digits = text.value();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) {
        throw std::runtime_error("Redis at " + connections_.address() + ": the key " + std::string(counterKey) +
                                 " is no number");
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

bool RedisCounter::tryUntilDone(const Context& context, const std::function<void(Client&)>& use) {
    for (Duration pause = firstPause; !context.done(); pause = std::min(2 * pause, longestPause)) {
        try {
            connections_.with(use);
            tellWorking();
            return true;
        } catch (const Poco::Exception& error) {
            tellFailing(error.displayText());
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
