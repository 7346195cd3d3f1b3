#include "http/loop/workers.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "core/quiet_thread.h"

namespace lifecycle::http {
namespace {

constexpr Duration tickInterval = std::chrono::milliseconds(1);

/// A worker that has served one connection for that long at a tick is considered blocked. Less than a tick, so that
/// those that got their turn at the last one are included.
constexpr Duration blockedAfter = std::chrono::microseconds(500);

/// How many times more turns are given out than before, while all of those are blocked: 256 within about 5 ms.
constexpr unsigned growth = 4;

/// How long a thread that is not needed waits before it ends.
constexpr std::chrono::milliseconds idleLimit = std::chrono::seconds(10);

/// When to try again to start a thread, after the system had none and all others are blocked.
constexpr Duration threadRetry = std::chrono::milliseconds(100);

/// The loop's thread has other things to do.
constexpr int maxTaken = 64;

std::int64_t ticks(TimePoint time) {
    return time.time_since_epoch().count();
}

unsigned turnsFor(unsigned threads) {
    return std::max(1U, std::min(threads, std::max(2U, std::thread::hardware_concurrency())));
}

}  // namespace

Workers::Workers(PollLoop& loop, ReadySet& ready, Service& service, Limits limits, Callbacks callbacks)
    : loop_(loop),
      ready_(ready),
      service_(service),
      limits_(limits),
      callbacks_(std::move(callbacks)),
      maxTurns_(turnsFor(limits.threads)),
      threads_(std::make_shared<Gate>()),
      monitor_(loop, [this] { tick(); }) {
    loop_.watch(ready_.descriptor(), [this] { takeReady(); });
    loop_.pause(ready_.descriptor());
}

void Workers::start(std::weak_ptr<void> owner) {
    owner_ = std::move(owner);
    const std::lock_guard lock(mutex_);
    if (giveTurns(1) == 0) {
        throw std::system_error(EAGAIN, std::generic_category(), "cannot start a thread");
    }
}

// ---- on a worker -------------------------------------------------------------------------------

void Workers::run(Workers::Place self) {
    Exchanges exchanges(service_);
    for (bool hasTurn = true;;) {
        if (Admitted* const connection = next()) {
            self->busy.store(ticks(Clock::now()));
            callbacks_.serve(*connection, exchanges);
            hasTurn = self->busy.exchange(0) != blocked;
            if (hasTurn && turns_.load(std::memory_order_relaxed) <= maxTurns_ && !stopped_.load()) {
                continue;
            }
        }
        if (!waitForTurn(hasTurn)) {
            break;
        }
        hasTurn = true;
    }
    if (stopped_.load()) {
        // After a cut this thread was not waited for: nobody else may see what it has armed since.
        while (Admitted* const left = ready_.wait(0)) {
            callbacks_.serve(*left, exchanges);
        }
    }
    leave(self);
}

/// Null if it was woken up for another reason.
Admitted* Workers::next() {
    if (overloaded_.load()) {
        if (Admitted* const queued = takeQueued()) {
            return queued;
        }
    }
    ++waiting_;
    Admitted* const ready = ready_.wait(turns_.load(std::memory_order_relaxed) > maxTurns_ ? static_cast<int>(idleLimit.count()) : -1);
    if (--waiting_ == 0) {
        wakeMonitor();
    }
    return ready;
}

Admitted* Workers::takeQueued() {
    const std::lock_guard lock(mutex_);
    Admitted* const first = queueHead_;
    if (first == nullptr) {
        overloaded_ = false;
        return nullptr;
    }
    queueHead_ = first->nextQueued;
    queueTail_ = queueHead_ == nullptr ? nullptr : queueTail_;
    --queued_;
    return first;
}

/// False if this thread has to end.
bool Workers::waitForTurn(bool hasTurn) {
    std::unique_lock lock(mutex_);
    turns_ -= hasTurn ? 1 : 0;
    if (!stopped_ && turns_ < maxTurns_) {
        ++turns_;
        lock.unlock();
        wakeMonitor();  // Nobody may be waiting, and this one be blocked next.
        return true;
    }
    const auto isSuperfluous = [this] {
        return stopped_ || (draining_ && workers_.size() > std::max<std::uint64_t>(1, callbacks_.connections()));
    };
    for (;;) {
        if (offered_ > 0 && !stopped_) {
            --offered_;
            return true;
        }
        if (isSuperfluous()) {
            return false;
        }
        ++parked_;
        const bool woken = turn_.wait_for(lock, idleLimit) == std::cv_status::no_timeout;
        --parked_;
        if (!woken && offered_ == 0 && workers_.size() > 1) {
            return false;
        }
    }
}

void Workers::leave(Place self) {
    const std::lock_guard lock(mutex_);
    workers_.erase(self);
    if (overloaded_ && !stopped_) {
        wakeMonitor();  // There may be another thread instead.
    }
    ended_.notify_all();
}

void Workers::wakeMonitor() {
    if (!monitoring_.load() && !monitoring_.exchange(true)) {
        loop_.notify();
    }
}

// ---- on the loop's thread ----------------------------------------------------------------------

void Workers::onNotified() {
    if (monitoring_.load() && !monitor_.isSet()) {
        monitor_.in(tickInterval);
    }
}

/// The monitor, see above.
void Workers::tick() {
    const std::lock_guard lock(mutex_);
    if (waiting_.load() > 0) {
        lastGiven_ = takenSince_ = 0;
        monitoring_ = false;
        if (waiting_.load() > 0 || monitoring_.exchange(true)) {
            return;  // Whoever is the last to leave the ready set wakes it again.
        }
    }
    if (stopped_) {
        return;
    }
    const unsigned taken = takeTurns();
    turns_ -= taken;
    takenSince_ += taken;
    const bool pending = queueHead_ != nullptr || ready_.hasReady();
    unsigned wanted = 0;
    if (turns_ < maxTurns_ && pending) {
        const bool allBlocked = lastGiven_ > 0 && takenSince_ >= lastGiven_;
        wanted = std::max(maxTurns_ - turns_, allBlocked ? growth * lastGiven_ : 0);
    } else if (turns_ == 0) {
        wanted = 1;  // to wait for what comes
    }
    if (wanted > 0) {
        lastGiven_ = giveTurns(wanted);
        takenSince_ = 0;
    }
    if (turns_ == 0) {
        overloaded_ = true;
        loop_.resume(ready_.descriptor());
        if (workers_.size() < limits_.threads) {
            monitor_.in(threadRetry);
        } else {
            monitoring_ = false;  // A worker that comes back wakes it.
        }
        return;
    }
    monitor_.in(tickInterval);
}

/// From those who are blocked.
unsigned Workers::takeTurns() {
    const std::int64_t limit = ticks(Clock::now() - blockedAfter);
    unsigned taken = 0;
    for (Worker& worker : workers_) {
        std::int64_t since = worker.busy.load();
        if (since > 0 && since <= limit && worker.busy.compare_exchange_strong(since, blocked)) {
            ++taken;
        }
    }
    return taken;
}

/// Returns how many: no more than there may be threads, and can be.
unsigned Workers::giveTurns(unsigned count) {
    if (stopped_) {
        return 0;
    }
    const unsigned toParked = std::min(count, parked_ - std::min(parked_, offered_));
    offered_ += toParked;
    for (unsigned i = 0; i < toParked; ++i) {
        turn_.notify_one();
    }
    unsigned given = toParked;
    while (given < count && workers_.size() < limits_.threads && startThread()) {
        ++given;
    }
    turns_ += given;
    return given;
}

bool Workers::startThread() try {
    std::list<Worker> one(1);
    const Place place = one.begin();
    auto work = [this, place, threads = threads_, owner = owner_.lock()]() mutable {
        const std::optional<Gate::Guard> guard = threads->tryEnter();
        run(place);
        owner.reset();  // This may be gone now.
    };
    workers_.splice(workers_.end(), one);
    try {
        detail::startQuietThread("http-worker", std::move(work)).detach();
    } catch (...) {
        workers_.pop_back();
        throw;
    }
    return true;
} catch (const std::exception&) {
    return false;  // The system has no thread or memory left; those that run suffice.
}

/// While all threads are blocked.
void Workers::takeReady() {
    for (int taken = 0; taken < maxTaken; ++taken) {
        if (!overloaded_) {
            loop_.pause(ready_.descriptor());
            return;
        }
        Admitted* const connection = ready_.wait(0);
        if (connection == nullptr) {
            return;
        }
        if (callbacks_.hasRequest(*connection) && !enqueue(*connection)) {
            callbacks_.shed(*connection);
        }
    }
}

/// False if the queue is full.
bool Workers::enqueue(Admitted& connection) {
    const std::lock_guard lock(mutex_);
    if (overloaded_ && workers_.size() < limits_.threads && giveTurns(1) > 0) {  // The system has a thread again.
        overloaded_ = queueHead_ != nullptr;
        wakeMonitor();
    }
    if (!overloaded_) {
        // A worker has come back or been started, finds the queue empty and waits for events: it gets this one.
        return ready_.arm(connection);
    }
    if (queued_ >= limits_.queue) {
        return false;
    }
    connection.becomeQueued(Clock::now());
    connection.nextQueued = nullptr;
    (queueTail_ == nullptr ? queueHead_ : queueTail_->nextQueued) = &connection;
    queueTail_ = &connection;
    ++queued_;
    return true;
}

// ---- the end -----------------------------------------------------------------------------------

void Workers::drain() {
    const std::lock_guard lock(mutex_);
    draining_ = true;
    turn_.notify_all();
}

void Workers::stop(bool waitForAll) {
    {
        std::unique_lock lock(mutex_);
        stopped_ = true;
        ready_.wakeAll();
        turn_.notify_all();
        ended_.wait(lock, [&] {
            return std::all_of(workers_.begin(), workers_.end(),
                               [&](const Worker& worker) { return !waitForAll && worker.busy.load() != 0; });
        });
    }
    threads_->close();
    if (waitForAll) {
        static_cast<void>(threads_->wait(Context::background()));
    }
    ready_.endWakeAll();
}

Admitted* Workers::takeLeft() {
    Admitted* const queued = takeQueued();
    return queued != nullptr ? queued : ready_.wait(0);
}

}  // namespace lifecycle::http
