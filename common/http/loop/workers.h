#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "http/exchange/exchanges.h"
#include "http/loop/ready_set.h"
#include "lifecycle/gate.h"
#include "lifecycle/poll_loop.h"

namespace lifecycle::http {

/// The threads that serve requests: many may be blocked in handlers, but few run.
///
/// Throughput falls with each thread that wakes up for no reason. So only as many workers as there are processors hold a
/// *turn*: they wait in the ready set, or serve. The others are parked. A worker that has served one connection for
/// half a tick or longer at a tick of the monitor is considered blocked, and its turn is given to another one. The
/// monitor is a timer of the loop that ticks each millisecond, and only while nobody waits in the ready set. A worker that comes back without its turn
/// takes a free one, or parks. As Go's sysmon does with processors, and an I/O completion port with its concurrency
/// value. To let many blocking requests begin, the monitor gives out four times as many turns as before, as long as all of
/// those are blocked as well.
///
/// When all threads are blocked, the loop's thread takes what is ready and queues it; what does not fit is shed.
///
/// For each request a worker touches atomics only: two that all share, when it waits, and one of its own.
class Workers {
public:
    struct Limits {
        unsigned threads;
        unsigned queue;  ///< connections that wait for a thread
    };
    struct Callbacks {
        /// Serves a connection that is ready, on a worker.
        std::function<void(Admitted&, Exchanges&)> serve;
        /// On the loop's thread: bytes of a request have arrived. If not (the client has left), does what has to be done.
        std::function<bool(Admitted&)> hasRequest;
        /// On the loop's thread: there is no thread, and no place in the queue.
        std::function<void(Admitted&)> shed;
        /// How many connections there are; in a drain there need not be more threads.
        std::function<std::uint64_t()> connections;
    };

    Workers(PollLoop& loop, ReadySet& ready, Service& service, Limits limits, Callbacks callbacks);

    /// Starts the first one, which does not end before stop(). Each keeps `owner`, of which this is a part. Throws
    /// std::system_error if the system has no thread.
    void start(std::weak_ptr<void> owner);

    /// On the loop's thread, when it was notified.
    void onNotified();

    /// From now on workers end when there are more than connections.
    void drain();

    /// Ends all workers that are in no exchange, and waits for them; with `waitForAll`, for all. To be called when
    /// nothing can block an exchange for long, except handlers that are left behind. Then the loop's thread must not
    /// call any more.
    void stop(bool waitForAll);

    /// After stop(): what was still queued, one after the other; then null.
    Admitted* takeLeft();

private:
    /// A thread. What it does: 0 nothing, else since when it has been serving, or that its turn was taken away.
    struct Worker {
        std::atomic<std::int64_t> busy = 0;
    };
    using Place = std::list<Worker>::iterator;
    static constexpr std::int64_t blocked = -1;

    void run(Place self);
    Admitted* next();
    Admitted* takeQueued();
    bool waitForTurn(bool hasTurn);
    void leave(Place self);
    void wakeMonitor();

    void tick();
    unsigned takeTurns();
    unsigned giveTurns(unsigned count);
    bool startThread();
    void takeReady();
    bool enqueue(Admitted& connection);

    PollLoop& loop_;
    ReadySet& ready_;
    Service& service_;
    const Limits limits_;
    const Callbacks callbacks_;
    const unsigned maxTurns_;
    const std::shared_ptr<Gate> threads_;  // outlives this: a guard is the last thing a thread gives back
    std::weak_ptr<void> owner_;
    PollLoop::PreparedTimer monitor_;

    std::atomic<unsigned> waiting_ = 0;      // in the ready set
    std::atomic<unsigned> turns_ = 0;        // given out; written under mutex_
    std::atomic<bool> monitoring_ = false;   // the monitor ticks, or is about to
    std::atomic<bool> overloaded_ = false;   // all threads are blocked, the loop's thread queues; written under mutex_
    std::atomic<bool> stopped_ = false;      // written under mutex_

    std::mutex mutex_;  // guards what follows
    std::condition_variable turn_;
    std::condition_variable ended_;
    std::list<Worker> workers_;
    unsigned parked_ = 0;
    unsigned offered_ = 0;   // turns for those that are parked
    bool draining_ = false;
    Admitted* queueHead_ = nullptr;
    Admitted* queueTail_ = nullptr;
    unsigned queued_ = 0;

    // Of the monitor.
    unsigned lastGiven_ = 0;
    unsigned takenSince_ = 0;
};

}  // namespace lifecycle::http
