#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "counter.h"
#include "lifecycle/event_log.h"
#include "redis_connections.h"

namespace stage {

/// Counts in Redis, in the key `counter`, and survives what networks do. When a connection breaks
/// between command and reply nobody can tell whether Redis has carried the command out. Not to try
/// again loses an increment, to try again may double one. So each is one script that does nothing
/// for an id that it has seen: it can be sent until there is a reply.
///
/// Promises:
///  - While Redis is away, stalled or starting, increment() goes on trying: after 50 ms, then twice
///    as long each time, up to a second. It returns at once when its context is done.
///  - An id is counted once, if Redis keeps what it has acknowledged (`appendonly yes` with
///    `appendfsync always`) and is away for less than an hour at a time: so long it knows an id.
///
/// Logs `redis.failing` and `redis.recovered`, once each time.
class RedisCounter : public Counter {
public:
    /// `address` is HOST:PORT; `events` must outlive it. Does not connect yet.
    RedisCounter(const std::string& address, lifecycle::EventLog& events);

    /// Blocks until Redis has answered (true) or `context` is done (false).
    bool waitUntilReachable(const lifecycle::Context& context);

    bool increment(const std::string& id, const lifecycle::Context& context) override;
    std::int64_t value() override;
    std::uint64_t sent() const override { return sent_; }
    void close() override;

    /// Why Redis failed last, "" if it has not or has recovered.
    std::string error() const;

private:
    bool tryUntilDone(const lifecycle::Context& context,
                      const std::function<void(const RedisConnections::Ask&)>& use);
    void tellFailing(const std::string& error);
    void tellWorking();

    RedisConnections connections_;
    lifecycle::EventLog& events_;
    std::atomic<std::uint64_t> sent_ = 0;
    std::atomic<bool> failing_ = false;
    mutable std::mutex mutex_;
    std::string error_;  // guarded by mutex_; not empty while Redis fails
};

}  // namespace stage
