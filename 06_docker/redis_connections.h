#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lifecycle/context.h"
#include "name_lookup.h"
#include "redis_connection.h"

namespace stage {

/// A few connections to Redis for many threads. Poco::Redis::PooledConnection would do, but for two
/// things: it gives back connections that are broken, and it connects while it holds the lock of
/// the pool, so that one slow connect holds up everybody.
///
/// All functions may be called from every thread.
class RedisConnections {
public:
    using Ask = std::function<std::optional<std::string>(const std::vector<std::string>&)>;

    /// `address` is HOST:PORT, looked up anew for every connection: a Redis that was started again
    /// in another container has another address. Connects when a connection is needed, not here.
    explicit RedisConnections(std::string address);

    /// Calls `use` with a connection that nobody else uses at the time, as a function that sends a
    /// command, see RedisConnection::ask. Blocks for a second at most until one is free, for another
    /// one until the name is found and the connection is made, and for one more for each command;
    /// all but the first end when `context` is done.
    ///
    /// Any exception on the way is rethrown as a std::runtime_error, and the connection is closed, even for
    /// an error that Redis replies.
    void with(const lifecycle::Context& context, const std::function<void(const Ask&)>& use);

    /// Closes those that are not in use. Nobody may use any of them any more.
    void close();

    const std::string& address() const { return address_; }

private:
    class Loan;

    const std::string address_;
    const NameLookup lookup_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::size_t inUse_ = 0;                                // guarded by mutex_
    std::vector<std::unique_ptr<RedisConnection>> idle_;  // guarded by mutex_
};

}  // namespace stage
