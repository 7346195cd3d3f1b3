#include "orders/order_store.h"

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
    : options_(std::move(options)), events_(events), files_(options_.path), writer_(writerOptions(openFirst())) {}

OrderStore::~OrderStore() {
    writer_.stop();
    close();
}

/// Returns why the database cannot be used yet.
std::string OrderStore::openFirst() {
    std::signal(SIGXFSZ, SIG_IGN);
    Poco::Data::SQLite::Connector::registerConnector();
    try {
        open();
        return {};
    } catch (const Poco::Data::SQLite::CorruptImageException& error) {
        throw std::runtime_error(files_.path() + ": " + error.displayText());
    } catch (const Poco::Exception& error) {
        return error.displayText();
    }
}

OrderStore::Writer::Options OrderStore::writerOptions(std::string initialError) {
    return {.write = [this](const std::vector<Order>& batch) { attempt([&] { open(); insert(batch); }); },
            .check = [this] { attempt([&] { open(); }); },
            .finish = [this] { attempt([&] { confirm(); }); },
            .errorChanged = [this](const std::string& error) { tell(error); },
            .initialError = std::move(initialError),
            .capacity = options_.queue};
}

OrderStore::Receipt OrderStore::tryPut(Order order) {
    Writer::Receipt receipt{.refusal = Refusal::failing};
    if (isForeignNow()) {
        writer_.wake();  // It finds out what is wrong.
    } else {
        receipt = writer_.tryPush(std::move(order));
    }
    if (receipt.refusal != Refusal::none) {
        ++refused_;
        return {.refusal = receipt.refusal};
    }
    return {.id = firstId_ + static_cast<std::int64_t>(receipt.number)};
}

void OrderStore::finish(const lifecycle::Context& context) {
    if (!writer_.flush(context)) {
        const std::string error = writer_.error();
        throw std::runtime_error(ordersOf(countUnstored()) + " not stored: " + (error.empty() ? "no time left" : error));
    }
}

OrderStore::Unstored OrderStore::abandon(Duration patience) {
    const lifecycle::TimePoint until = lifecycle::Clock::now() + patience;
    std::unique_lock commit(commit_, std::defer_lock);
    std::unique_lock files(filesMutex_, std::defer_lock);
    const bool noPut = writer_.freeze(until);
    const bool noCommit = lifecycle::tryLockUntil(commit, until);
    const bool noChange = lifecycle::tryLockUntil(files, until);
    // Never unlocked: whoever waits for these must not continue.
    commit.release();
    files.release();
    return {countUnstored(), noPut && noCommit && noChange && !unsure_ && !isForeign() && !unreadable_ &&
                                 answered_ == writer_.counters().accepted};
}

std::uint64_t OrderStore::countUnstored() const {
    const Counters counted = counters();
    // What has been stored is not where it should be.
    return isForeign() || unreadable_ ? counted.acknowledged : counted.waiting;
}

bool OrderStore::isForeign() const {
    return settled_ ? !files_.asRemembered() : !files_.inPlace();
}

bool OrderStore::isForeignNow() {
    const std::lock_guard lock(filesMutex_);
    return isForeign();
}

OrderStore::Counters OrderStore::counters() const {
    const std::uint64_t stored = stored_;  // first: it never overtakes
    const std::uint64_t acknowledged = writer_.counters().accepted;
    return {acknowledged, stored, acknowledged - stored, refused_};
}

// ---- on the writer's thread --------------------------------------------------------------------

/// What fails is attempted again through a new connection, which finds out by itself what has become of the file.
template <typename Step>
void OrderStore::attempt(Step step) {
    try {
        step();
    } catch (const ForeignFiles&) {
        throw;
    } catch (const Poco::Exception& error) {
        close();
        throw std::runtime_error(error.displayText());
    } catch (const std::exception&) {
        close();
        throw;
    }
}

void OrderStore::tell(const std::string& error) {
    if (error.empty()) {
        events_.emit("database.recovered", {{"waiting", counters().waiting}});
    } else {
        events_.emit("database.failing", {{"error", error}, {"waiting", counters().waiting},
                                          {"note", "orders get 503 until it works again"}});
    }
}

/// The writer is about to change the files.
void OrderStore::unsettle() {
    const std::lock_guard lock(filesMutex_);  // not while tryPut looks at them
    settled_ = false;
}

/// Checks that they have not been moved meanwhile; from here on only others change them.
void OrderStore::settle() {
    if (!files_.inPlace()) {
        files_.check();
    }
    files_.remember();
    const std::lock_guard lock(filesMutex_);
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
        firstId_ = nextId_ = largest + 1;
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

void OrderStore::insert(const std::vector<Order>& batch) {
    std::vector<Poco::Int64> ids;
    std::vector<std::string> items;
    std::vector<Poco::Int64> quantities;
    for (const Order& order : batch) {
        ids.push_back(nextId_ + static_cast<Poco::Int64>(ids.size()));
        items.push_back(order.item);
        quantities.push_back(order.quantity);
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
    stored_ += batch.size();
    nextId_ += static_cast<std::int64_t>(batch.size());
}

/// Checks through a new connection that every acknowledged order is in the file at the path, and closes the database.
void OrderStore::confirm() {
    const std::uint64_t expected = writer_.counters().accepted;
    if (expected == 0) {
        close();
        return;
    }
    if (session_ || !files_.inPlace()) {
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

}  // namespace stage
