#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <Poco/Data/Session.h>

#include "lifecycle/batch_writer.h"
#include "lifecycle/context.h"
#include "lifecycle/duration.h"
#include "lifecycle/event_log.h"
#include "orders/database_files.h"
#include "orders/order.h"

namespace stage {

/// Responding to an order takes microseconds, storing one safely takes as long as the disk needs. So orders are
/// acknowledged at once and stored later, many in one transaction, and must survive the shutdown: see finish().
///
/// Promises:
///  - When finish() returns without an error, every order that tryPut has accepted is a row in the file at the path: a
///    new connection has counted them.
///  - Ids are assigned in the order of acceptance, without a gap, and continue after the largest in the file.
///  - While the database fails (locked, read-only, full) no order is accepted. The accepted ones are kept and tried
///    again, and storing continues by itself when the database is back.
///  - The same while the file is not at its path, or was overwritten. This is checked with each order, with each
///    transaction, and once a second.
///
/// Logs `database.failing`, once for each error in a row, and `database.recovered`. Only the writer's thread uses the
/// database; all functions may be called from every thread. A crash or SIGKILL loses what counters().waiting counts. A
/// row that somebody else deletes counts as missing.
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

    /// Stores what is left, without waiting for a failing database.
    ~OrderStore();

    OrderStore(const OrderStore&) = delete;
    OrderStore& operator=(const OrderStore&) = delete;

    using Refusal = lifecycle::BatchWriter<Order>::Refusal;

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
    using Writer = lifecycle::BatchWriter<Order>;

    std::string openFirst();
    Writer::Options writerOptions(std::string initialError);
    template <typename Step>
    void attempt(Step step);
    void open();
    void close();
    void insert(const std::vector<Order>& batch);
    void confirm();
    void unsettle();
    void settle();
    bool isForeign() const;
    bool isForeignNow();
    void tell(const std::string& error);
    std::uint64_t countUnstored() const;

    const Options options_;
    lifecycle::EventLog& events_;

    std::timed_mutex commit_;  // held from COMMIT until stored_ says so; locked before filesMutex_
    std::timed_mutex filesMutex_;
    DatabaseFiles files_;  // read by tryPut under filesMutex_, while settled_

    std::atomic<std::uint64_t> refused_ = 0;
    std::atomic<std::uint64_t> answered_ = 0;
    std::atomic<std::uint64_t> stored_ = 0;
    std::atomic<std::int64_t> firstId_ = 1;  // of the orders of this process; written before the first is taken
    std::atomic<bool> settled_ = false;      // written under filesMutex_; the writer does not use the files
    std::atomic<bool> unsure_ = false;       // a commit has failed, or is under way
    std::atomic<bool> unreadable_ = false;   // the rows could not be counted the last time

    // Used by the writer's thread alone, once it runs.
    std::unique_ptr<Poco::Data::Session> session_;
    std::int64_t nextId_ = 1;  // of the next order to store
    bool idsKnown_ = false;

    Writer writer_;  // the last one: its thread uses all of the above
};

}  // namespace stage
