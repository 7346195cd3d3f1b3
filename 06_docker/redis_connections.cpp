#include "redis_connections.h"

#include <utility>

#include <Poco/Exception.h>
#include <Poco/Timespan.h>

namespace stage {
namespace {

constexpr std::size_t most = 16;  // Redis works on one command at a time, however many connections
constexpr long waitMilliseconds = 1'000;  // for a connection that is free
const Poco::Timespan timeout(1, 0);       // for a connect, and for a reply

}  // namespace

/// A client on loan from the pool, given back in the end.
class RedisConnections::Loan {
public:
    explicit Loan(Pool& pool) : pool_(pool), client_(pool.borrowObject(waitMilliseconds)) {
        if (client_.isNull()) {
            throw Poco::TimeoutException("all connections to Redis are in use");
        }
    }
    ~Loan() { pool_.returnObject(client_); }

    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;

    Poco::Redis::Client& client() { return *client_; }

private:
    Pool& pool_;
    Poco::Redis::Client::Ptr client_;
};

RedisConnections::RedisConnections(std::string address)
    : address_(std::move(address)),
      pool_(std::make_unique<Pool>(Clients(), most, most)) {}

void RedisConnections::with(const std::function<void(Poco::Redis::Client&)>& use) {
    Loan loan(*pool_);
    Poco::Redis::Client& client = loan.client();
    try {
        if (!client.isConnected()) {
            client.connect(address_, timeout);
            client.setReceiveTimeout(timeout);
        }
        use(client);
    } catch (const Poco::Exception&) {
        client.disconnect();
        throw;
    } catch (const std::exception& error) {
        client.disconnect();
        throw Poco::IOException(error.what());
    }
}

}  // namespace stage
