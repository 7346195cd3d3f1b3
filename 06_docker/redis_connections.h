#pragma once

#include <functional>
#include <memory>
#include <string>

#include <Poco/ObjectPool.h>
#include <Poco/Redis/Client.h>

namespace stage {

/// A few connections to Redis for many threads. Poco::Redis::PooledConnection would do, but for two
/// things: it gives back connections that are broken, and it connects while it holds the lock of
/// the pool, so that one slow connect holds up everybody.
///
/// All functions may be called from every thread.
class RedisConnections {
public:
    /// `address` is HOST:PORT, looked up anew for every connection: a Redis that was started again
    /// in another container has another address. Connects when a connection is needed, not here.
    explicit RedisConnections(std::string address);

    /// Calls `use` with a connection that nobody else uses at the time. Blocks until one is free
    /// and connected, each a second at most, and as long as `use` does; a reply that takes longer
    /// than a second is an error of the connection.
    ///
    /// Whatever is thrown on the way is thrown on as a Poco::Exception, and the connection is
    /// closed: a reply to the old command may still be on its way, and would be taken for the
    /// answer to the next one. That is the case for an error that Redis replies, too.
    void with(const std::function<void(Poco::Redis::Client&)>& use);

    /// Closes them all. Nobody may use them any more.
    void close() { pool_.reset(); }

    const std::string& address() const { return address_; }

private:
    /// Makes clients that have yet to connect, and keeps only those that are.
    struct Clients {
        Poco::Redis::Client::Ptr createObject() const { return new Poco::Redis::Client; }
        bool validateObject(const Poco::Redis::Client::Ptr& client) const {
            return client->isConnected();
        }
        void activateObject(const Poco::Redis::Client::Ptr&) const {}
        void deactivateObject(const Poco::Redis::Client::Ptr&) const {}
        void destroyObject(const Poco::Redis::Client::Ptr&) const {}
    };
    using Pool = Poco::ObjectPool<Poco::Redis::Client, Poco::Redis::Client::Ptr, Clients>;

    class Loan;

    const std::string address_;
    std::unique_ptr<Pool> pool_;
};

}  // namespace stage
