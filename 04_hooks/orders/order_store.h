#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <Poco/Data/Session.h>

#include "lifecycle/context.h"
#include "lifecycle/duration.h"
#include "lifecycle/event_log.h"
#include "orders/database_files.h"
#include "orders/order.h"

namespace stage {

/// Answering an order takes microseconds, and storing one safely takes a disk's time. So orders are
/// acknowledged from memory and stored behind the clients' backs, many in one transaction; and what
/// is acknowledged must then survive the end of the process. That is what finish() is for.
///
/// Promises:
///  - Every order that tryPut has taken is a row in the file at the path by the time finish() returns
///    without an error: a new connection has counted them.
///  - Ids are given in the order of taking, without gap, and go on behind the largest in the file.
///  - While the database fails (locked, read-only, full) nothing more is taken, what has been taken
///    is kept and tried again, and storing goes on by itself when the database is back.
///  - The same while the file is not at its path, or was overwritten. This is checked with each order, with each
///    transaction, and once a second.
///
/// Logs `database.failing`, once for each error in a row, and `database.recovered`. One thread, the
/// writer, uses the database; all functions may be called from every thread. A crash or SIGKILL loses
/// what counters().waiting counts. A row that somebody else deletes counts as missing.
class OrderStore {
public:
    struct Options {
        /// The path of an SQLite file, not a URI; created if it does not exist. One process at a
        /// time may store into it.
        std::string path;
        /// The most orders that wait to be stored.
        std::size_t queue = 10'000;
    };

    /// Opens the database and starts the writer. Throws std::runtime_error if that cannot succeed: the folder
    /// does not exist, the file is not a regular file or not SQLite's, its table has other columns, or another
    /// process stores into it. A database that only fails for the moment is waited for. From here on SIGXFSZ is
    /// ignored: a file that may not grow is an error of one write, and must not kill the process.
    OrderStore(Options options, lifecycle::EventLog& events);

    /// Ends the writer, without waiting for a failing database.
    ~OrderStore();

    OrderStore(const OrderStore&) = delete;
    OrderStore& operator=(const OrderStore&) = delete;

    enum class Refusal { none, full, closed, failing };

    struct Receipt {
        std::int64_t id = 0;
        Refusal refusal = Refusal::none;  ///< other than none: the order was not taken
    };

    /// Takes an order, to be stored soon. Never waits for the database.
    Receipt tryPut(Order order);

    /// To be called for each order that tryPut has taken, when its response has been sent.
    void answered() { answered_.fetch_add(1); }

    /// Takes no more, stores what is there, closes the database, and counts the rows. Blocks until that
    /// is done. Throws std::runtime_error with the number of orders left and the reason if `context` is
    /// done first; the writer goes on trying then, and finish() may be called again.
    void finish(const lifecycle::Context& context);

    struct Unstored {
        std::uint64_t count = 0;
        /// False: it may be fewer. A response or a transaction was under way, or the file is not where it was.
        bool exact = true;
    };

    /// The last word before _exit: nothing is taken or stored from here on, so that the number stays
    /// true. Blocks at most `patience`. Nothing else can be done with the store afterwards.
    Unstored abandon(lifecycle::Duration patience);

    struct Counters {
        std::uint64_t acknowledged = 0;  ///< taken by tryPut
        std::uint64_t stored = 0;        ///< of these, in the file
        std::uint64_t waiting = 0;       ///< the others
        std::uint64_t refused = 0;       ///< not taken by tryPut
    };
    Counters counters() const;

private:
    struct Numbered {
        std::int64_t id;
        Order order;
    };

    Refusal refusal();
    void join();
    void run();
    bool takeBatch();
    bool waitForRetry();
    void store(bool more);
    void open();
    void close();
    void storeBatch();
    void confirm();
    void unsettle();
    void settle();
    bool isForeign() const;
    std::uint64_t countUnstored() const;
    void tellFailing(const std::string& error);
    void tellWorking();

    const Options options_;
    lifecycle::EventLog& events_;
    DatabaseFiles files_;
    const lifecycle::CancelableContext stopped_;  // done: the writer gives up at once
    const lifecycle::CancelableContext written_;  // done: the writer has stored all and has ended

    mutable std::timed_mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Numbered> queue_;  // guarded by mutex_
    std::int64_t nextId_ = 1;     // guarded by mutex_
    bool closed_ = false;         // guarded by mutex_
    bool look_ = false;           // guarded by mutex_; a change of the files was noticed
    std::string error_;           // guarded by mutex_; not empty while the database fails

    std::atomic<std::uint64_t> refused_ = 0;
    std::atomic<std::uint64_t> acknowledged_ = 0;
    std::atomic<std::uint64_t> answered_ = 0;
    std::atomic<std::uint64_t> stored_ = 0;
    std::atomic<bool> settled_ = false;  // written under mutex_; the writer does not use the files
    std::atomic<bool> unsure_ = false;      // a commit has failed, or is under way
    std::atomic<bool> unreadable_ = false;  // the rows could not be counted the last time

    std::timed_mutex commit_;  // held from COMMIT until stored_ tells it; taken before mutex_

    // Used by the writer alone, once it runs.
    std::unique_ptr<Poco::Data::Session> session_;
    std::vector<Numbered> batch_;
    std::int64_t firstId_ = 1;  // of the orders of this process
    bool idsKnown_ = false;
    std::thread writer_;
    std::once_flag joined_;
};

}  // namespace stage
