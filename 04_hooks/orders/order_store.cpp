#include "orders/order_store.h"

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <utility>

#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/SQLite/SQLiteException.h>
#include <Poco/Data/Statement.h>
#include <Poco/Exception.h>
#include <Poco/Types.h>

#include "lifecycle/try_lock_until.h"

namespace stage {
namespace {

using namespace Poco::Data::Keywords;
using lifecycle::Duration;

/// Orders in one transaction: enough that the disk's time for a commit hardly counts for each.
constexpr std::size_t largestBatch = 1'000;

/// How often a failing database is tried again.
constexpr Duration retryInterval = std::chrono::milliseconds(100);

/// How often the writer checks the files when there is nothing to store.
constexpr Duration lookInterval = std::chrono::seconds(1);

/// SQLite's own patience with other users of the file.
constexpr int busyMilliseconds = 100;

using Session = Poco::Data::Session;

std::unique_ptr<Session> connect(const std::string& path) {
    auto session = std::make_unique<Session>("SQLite", path);
    *session << "PRAGMA busy_timeout = " + std::to_string(busyMilliseconds), now;
    return session;
}

/// "1 order", "2 orders".
std::string ordersOf(std::uint64_t count) {
    return std::to_string(count) + (count == 1 ? " order" : " orders");
}

/// Keeps a connection until the process exits, without closing it.
void keepOpen(std::unique_ptr<Session> session) {
    static auto& kept = *new std::vector<std::unique_ptr<Session>>;
    kept.push_back(std::move(session));
}

}  // namespace

OrderStore::OrderStore(Options options, lifecycle::EventLog& events)
    : options_(std::move(options)),
      events_(events),
      files_(options_.path),
      stopped_(withCancel(lifecycle::Context::background())),
      written_(withCancel(lifecycle::Context::background())) {
    std::signal(SIGXFSZ, SIG_IGN);
    Poco::Data::SQLite::Connector::registerConnector();
    try {
        open();
    } catch (const Poco::Data::SQLite::CorruptImageException& error) {
        throw std::runtime_error(files_.path() + ": " + error.displayText());
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
    join();
}

OrderStore::Receipt OrderStore::tryPut(Order order) {
    const std::lock_guard lock(mutex_);
    if (const Refusal refused = refusal(); refused != Refusal::none) {
        refused_.fetch_add(1);
        return {.refusal = refused};
    }
    const std::int64_t id = nextId_++;
    queue_.push_back({id, std::move(order)});
    acknowledged_.fetch_add(1);
    changed_.notify_all();
    return {.id = id};
}

/// Why no order can be taken now.
OrderStore::Refusal OrderStore::refusal() {
    if (closed_) {
        return Refusal::closed;
    }
    if (!error_.empty()) {
        return Refusal::failing;
    }
    if (isForeign()) {
        look_ = true;  // The writer finds out what is wrong.
        changed_.notify_all();
        return Refusal::failing;
    }
    return acknowledged_ - stored_ >= options_.queue ? Refusal::full : Refusal::none;
}

void OrderStore::finish(const lifecycle::Context& context) {
    std::unique_lock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
    changed_.wait(lock, context.token(), [&] { return written_.context.done(); });
    if (!written_.context.done()) {
        throw std::runtime_error(ordersOf(countUnstored()) + " not stored: " +
                                 (error_.empty() ? "no time left" : error_));
    }
    lock.unlock();
    join();
}

/// Once all is stored the writer has closed the database and only has to return.
void OrderStore::join() {
    std::call_once(joined_, [this] { writer_.join(); });
}

OrderStore::Unstored OrderStore::abandon(Duration patience) {
    const lifecycle::TimePoint until = lifecycle::Clock::now() + patience;
    std::unique_lock commit(commit_, std::defer_lock);
    std::unique_lock put(mutex_, std::defer_lock);
    const bool noCommit = lifecycle::tryLockUntil(commit, until);
    const bool noPut = lifecycle::tryLockUntil(put, until);
    // Never given back: who is behind these locks shall not go on.
    commit.release();
    put.release();
    return {countUnstored(), noCommit && noPut && !unsure_ && !isForeign() && !unreadable_ &&
                                 answered_ == acknowledged_};
}

std::uint64_t OrderStore::countUnstored() const {
    // What has been stored is not where it should be.
    return isForeign() || unreadable_ ? acknowledged_.load() : acknowledged_ - stored_;
}

bool OrderStore::isForeign() const {
    return settled_ ? !files_.asRemembered() : !files_.inPlace();
}

OrderStore::Counters OrderStore::counters() const {
    const std::uint64_t stored = stored_;  // first: it never overtakes
    const std::uint64_t acknowledged = acknowledged_;
    return {acknowledged, stored, acknowledged - stored, refused_};
}

// ---- the writer --------------------------------------------------------------------------------

void OrderStore::run() {
    while (!written_.context.done()) {
        const bool more = takeBatch();
        try {
            store(more);
        } catch (const std::exception& exception) {
            if (dynamic_cast<const ForeignFiles*>(&exception) == nullptr) {
                close();  // A new connection finds out by itself what has become of the file.
            }
            const auto* error = dynamic_cast<const Poco::Exception*>(&exception);
            tellFailing(error != nullptr ? error->displayText() : exception.what());
            if (!waitForRetry()) {
                break;
            }
        }
    }
    close();
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
}

/// What there is to do, or the last steps if there will be no more.
void OrderStore::store(bool more) {
    if (more) {
        open();
        storeBatch();
        tellWorking();
        return;
    }
    if (acknowledged_ > 0) {
        if (session_) {
            files_.check();
        }
        confirm();
    }
    close();
    written_.cancel("all is stored");
}

/// Waits for work: orders, or a database to open again, or the time to look at the files. False when
/// there is and will be none.
bool OrderStore::takeBatch() {
    std::unique_lock lock(mutex_);
    if (!batch_.empty()) {
        return true;  // the one that failed
    }
    changed_.wait_for(lock, lookInterval, [this] { return !queue_.empty() || closed_ || look_ || !error_.empty(); });
    look_ = false;
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

/// The writer is about to change the files.
void OrderStore::unsettle() {
    const std::lock_guard lock(mutex_);  // not while tryPut looks at them
    settled_ = false;
}

/// Checks that they have not been moved meanwhile; from here on only others change them.
void OrderStore::settle() {
    if (!files_.inPlace()) {
        files_.check();
    }
    files_.remember();
    const std::lock_guard lock(mutex_);
    settled_ = true;
}

void OrderStore::open() {
    if (session_ || !files_.inPlace()) {
        files_.check();
    }
    if (session_) {
        return;
    }
    auto session = connect(files_.path());
    *session << "PRAGMA journal_mode = WAL", now;
    *session << "CREATE TABLE IF NOT EXISTS orders "
                "(id INTEGER PRIMARY KEY, item TEXT NOT NULL, quantity INTEGER NOT NULL)", now;
    if (!idsKnown_) {
        try {
            *session << "SELECT id, item, quantity FROM orders LIMIT 0", now;
        } catch (const Poco::Data::SQLite::InvalidSQLStatementException& error) {
            throw std::runtime_error(files_.path() + ": its table orders is another one: " + error.displayText());
        }
    }
    *session << "PRAGMA user_version = 1", now;  // a write: it fails if orders would fail
    if (!idsKnown_) {
        Poco::Int64 largest = 0;
        *session << "SELECT coalesce(max(id), 0) FROM orders", into(largest), now;
        firstId_ = largest + 1;
        const std::lock_guard lock(mutex_);
        nextId_ = firstId_;
        idsKnown_ = true;
    }
    session_ = std::move(session);
    settle();
}

/// Closing a connection deletes the log at its path, even if that belongs to another file by now.
void OrderStore::close() {
    if (!session_) {
        return;
    }
    bool ours = false;
    try {
        if (settled_) {
            files_.check();
        }
        ours = files_.inPlace();
    } catch (const ForeignFiles&) {
    } catch (const std::exception&) {
        ours = true;  // The log is not at its path: SQLite has it open, and copies it into the file.
    }
    unsettle();
    if (ours) {
        session_.reset();
    } else {
        keepOpen(std::move(session_));
    }
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
    unsettle();
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
    settle();
    unsure_ = false;
    stored_.fetch_add(batch_.size());
    batch_.clear();
}

/// Checks through a new connection that every acknowledged order is in the file at the path.
void OrderStore::confirm() {
    const std::uint64_t expected = acknowledged_;
    if (!files_.inPlace()) {
        files_.check();
    }
    std::unique_ptr<Session> fresh;
    Poco::UInt64 found = 0;
    const Poco::Int64 first = firstId_;
    const Poco::Int64 last = firstId_ + static_cast<Poco::Int64>(expected) - 1;
    try {
        fresh = connect(files_.path());
        *fresh << "SELECT count(*) FROM orders WHERE id BETWEEN ? AND ?", useRef(first), useRef(last), into(found), now;
    } catch (...) {
        unreadable_ = true;
        throw;
    }
    unreadable_ = false;
    stored_ = found;
    if (found < expected) {
        throw std::runtime_error(ordersOf(expected - found) + " missing in " + files_.path());
    }
    close();  // while `fresh` is open: the last connection to close copies the log into the file, and removes it
    fresh.reset();
    if (!files_.inPlace()) {
        files_.check();
    }
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
