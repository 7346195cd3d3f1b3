#include "order_store.h"

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <utility>

#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/SQLite/SQLiteException.h>
#include <Poco/Data/Statement.h>

namespace stage {
namespace {

using namespace Poco::Data::Keywords;
using lifecycle::Duration;

/// Orders in one transaction: enough that the disk's time for a commit hardly counts for each.
constexpr std::size_t largestBatch = 1'000;

/// How often a failing database is tried again.
constexpr Duration retryInterval = std::chrono::milliseconds(100);

/// SQLite's own patience with other users of the file.
constexpr int busyMilliseconds = 100;

}  // namespace

OrderStore::OrderStore(Options options, lifecycle::EventLog& events)
    : options_(std::move(options)),
      events_(events),
      lock_(options_.path),
      stopped_(withCancel(lifecycle::Context::background())),
      written_(withCancel(lifecycle::Context::background())) {
    std::signal(SIGXFSZ, SIG_IGN);
    Poco::Data::SQLite::Connector::registerConnector();
    try {
        open();
    } catch (const Poco::Data::SQLite::CorruptImageException& error) {
        throw std::runtime_error(options_.path + ": " + error.displayText());
    } catch (const Poco::Exception& error) {
        tellFailing(error.displayText());
    }
    writer_ = std::thread([this] { run(); });
}

OrderStore::~OrderStore() {
    stopped_.cancel("the store is destroyed");
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    changed_.notify_all();
    if (writer_.joinable()) {
        writer_.join();
    }
}

OrderStore::Receipt OrderStore::tryPut(Order order) {
    const std::lock_guard lock(mutex_);
    if (closed_) {
        return {.refusal = Refusal::closed};
    }
    if (!error_.empty()) {
        return {.refusal = Refusal::failing};
    }
    if (acknowledged_ - stored_ >= options_.queue) {
        return {.refusal = Refusal::full};
    }
    const std::int64_t id = nextId_++;
    queue_.push_back({id, std::move(order)});
    acknowledged_.fetch_add(1);
    changed_.notify_all();
    return {.id = id};
}

void OrderStore::finish(const lifecycle::Context& context) {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    changed_.notify_all();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, context.token(), [&] { return written_.context.done(); });
    if (!written_.context.done()) {
        const std::uint64_t left = acknowledged_ - stored_;
        throw std::runtime_error(std::to_string(left) + " orders not stored: " +
                                 (error_.empty() ? "no time left" : error_));
    }
    lock.unlock();
    writer_.join();
}

OrderStore::Unstored OrderStore::abandon(Duration patience) {
    // By the wall clock, because ThreadSanitizer does not know pthread_mutex_clocklock before GCC 13.
    const auto until = std::chrono::system_clock::now() + patience;
    // Never given back: who is behind these locks shall not go on.
    const bool noCommit = commit_.try_lock_until(until);
    const bool noPut = mutex_.try_lock_until(until);
    return {acknowledged_ - stored_, noCommit && noPut && !unsure_};
}

OrderStore::Counters OrderStore::counters() const {
    const std::uint64_t stored = stored_;  // first: it never overtakes
    const std::uint64_t acknowledged = acknowledged_;
    return {acknowledged, stored, acknowledged - stored};
}

// ---- the writer --------------------------------------------------------------------------------

void OrderStore::run() {
    while (takeBatch()) {
        try {
            open();
            storeBatch();
            tellWorking();
        } catch (const std::exception& exception) {
            const auto* error = dynamic_cast<const Poco::Exception*>(&exception);
            session_.reset();  // A new one finds out by itself what has become of the file.
            tellFailing(error != nullptr ? error->displayText() : exception.what());
            if (!waitForRetry()) {
                return;
            }
        }
    }
    session_.reset();
    const std::lock_guard lock(mutex_);
    written_.cancel("all is stored");
    changed_.notify_all();
}

/// Waits for work: orders, or a database to open again. False when there is and will be none.
bool OrderStore::takeBatch() {
    std::unique_lock lock(mutex_);
    if (!batch_.empty()) {
        return true;  // the one that failed
    }
    changed_.wait(lock, [this] { return !queue_.empty() || closed_ || !error_.empty(); });
    while (!queue_.empty() && batch_.size() < largestBatch) {
        batch_.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    return !batch_.empty() || !closed_;
}

/// False if the store is being destroyed.
bool OrderStore::waitForRetry() {
    return !stopped_.context.waitFor(retryInterval);
}

void OrderStore::open() {
    if (session_) {
        return;
    }
    auto session = std::make_unique<Poco::Data::Session>("SQLite", options_.path);
    *session << "PRAGMA busy_timeout = " + std::to_string(busyMilliseconds), now;
    *session << "PRAGMA journal_mode = WAL", now;
    *session << "CREATE TABLE IF NOT EXISTS orders "
                "(id INTEGER PRIMARY KEY, item TEXT NOT NULL, quantity INTEGER NOT NULL)", now;
    if (!idsKnown_) {
        try {
            *session << "SELECT id, item, quantity FROM orders LIMIT 0", now;
        } catch (const Poco::Data::SQLite::InvalidSQLStatementException& error) {
            throw std::runtime_error(options_.path + ": its table orders is another one: " + error.displayText());
        }
    }
    *session << "PRAGMA user_version = 1", now;  // a write: it fails if orders would fail
    if (!idsKnown_) {
        Poco::Int64 largest = 0;
        *session << "SELECT coalesce(max(id), 0) FROM orders", into(largest), now;
        const std::lock_guard lock(mutex_);
        nextId_ = largest + 1;
        idsKnown_ = true;
    }
    session_ = std::move(session);
}

void OrderStore::storeBatch() {
    if (batch_.empty()) {
        return;
    }
    std::vector<Poco::Int64> ids;
    std::vector<std::string> items;
    std::vector<Poco::Int64> quantities;
    for (const Numbered& numbered : batch_) {
        ids.push_back(numbered.id);
        items.push_back(numbered.order.item);
        quantities.push_back(numbered.order.quantity);
    }
    session_->begin();
    if (unsure_) {
        // The commit that failed may be in the file all the same.
        *session_ << "DELETE FROM orders WHERE id BETWEEN ? AND ?", use(ids.front()), use(ids.back()), now;
    }
    *session_ << "INSERT INTO orders (id, item, quantity) VALUES (?, ?, ?)",
        use(ids), use(items), use(quantities), now;
    const std::lock_guard lock(commit_);
    unsure_ = true;
    session_->commit();
    unsure_ = false;
    stored_.fetch_add(batch_.size());
    batch_.clear();
}

void OrderStore::tellFailing(const std::string& error) {
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(error_, error) == error) {
            return;
        }
    }
    events_.emit("database.failing", {{"error", error}, {"waiting", counters().waiting},
                                      {"note", "orders get 503 until it works again"}});
}

void OrderStore::tellWorking() {
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(error_, {}).empty()) {
            return;
        }
    }
    events_.emit("database.recovered", {{"waiting", counters().waiting}});
}

}  // namespace stage
