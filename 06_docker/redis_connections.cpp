#include "redis_connections.h"

#include <charconv>
#include <stdexcept>
#include <utility>

#include <Poco/Exception.h>

namespace stage {
namespace {

using namespace std::chrono_literals;
using lifecycle::Context;

constexpr std::size_t maxConnections = 16;  // Redis works on one command at a time, however many connections
constexpr lifecycle::Duration limit = 1s;   // for each thing that is waited for

/// Of HOST:PORT, which the settings have checked. An IPv6 address may be in brackets.
std::string hostOf(const std::string& address) {
    const std::string host = address.substr(0, address.rfind(':'));
    return host.size() > 2 && host.front() == '[' && host.back() == ']' ? host.substr(1, host.size() - 2) : host;
}

std::uint16_t portOf(const std::string& address) {
    std::uint16_t port = 0;
    std::from_chars(address.data() + address.rfind(':') + 1, address.data() + address.size(), port);
    return port;
}

}  // namespace

/// A connection on loan, given back in the end unless it has been dropped.
class RedisConnections::Loan {
public:
    explicit Loan(RedisConnections& pool) : pool_(pool) {
        std::unique_lock lock(pool_.mutex_);
        if (!pool_.returned_.wait_until(lock, lifecycle::Clock::now() + limit,
                                        [&] { return pool_.inUse_ < maxConnections; })) {
            throw std::runtime_error("all connections to Redis are in use");
        }
        ++pool_.inUse_;
        if (!pool_.idle_.empty()) {
            connection = std::move(pool_.idle_.back());
            pool_.idle_.pop_back();
        }
    }
    ~Loan() {
        {
            const std::lock_guard lock(pool_.mutex_);
            --pool_.inUse_;
            if (connection) {
                pool_.idle_.push_back(std::move(connection));
            }
        }
        pool_.returned_.notify_one();
    }

    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;

    std::unique_ptr<RedisConnection> connection;  ///< null: has yet to be made

private:
    RedisConnections& pool_;
};

RedisConnections::RedisConnections(std::string address)
    : address_(std::move(address)), lookup_(hostOf(address_), portOf(address_)) {
    idle_.reserve(maxConnections);
}

void RedisConnections::with(const Context& context, const std::function<void(const Ask&)>& use) {
    Loan loan(*this);
    try {
        if (!loan.connection) {
            const Context connecting = withTimeout(context, limit, "no connection within 1s").context;
            loan.connection = std::make_unique<RedisConnection>(lookup_.find(connecting), connecting);
        }
        use([&](const std::vector<std::string>& words) {
            return loan.connection->ask(words, withTimeout(context, limit, "no reply within 1s").context);
        });
    } catch (const Poco::Exception& error) {
        loan.connection.reset();
        throw std::runtime_error(error.displayText());
    } catch (...) {
        loan.connection.reset();
        throw;
    }
}

void RedisConnections::close() {
    const std::lock_guard lock(mutex_);
    idle_.clear();
}

}  // namespace stage
