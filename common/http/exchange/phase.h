#pragma once

#include <atomic>

namespace lifecycle::http {

/// How far a server is in its shutdown: serving → announced → draining → cut.
///
/// All functions may be called from every thread.
class Phase {
public:
    /// From now on each response says `Connection: close`.
    bool isLeaving() const { return step_.load(std::memory_order_acquire) != Step::serving; }

    void announce() { raise(Step::announced); }

    /// Takes an announcement back. Without effect once the server drains.
    void resume() {
        Step expected = Step::announced;
        step_.compare_exchange_strong(expected, Step::serving);
    }

    /// The listeners are being closed, for good.
    void drain() { raise(Step::draining); }

    /// Connections have been cut.
    void cut() { raise(Step::cut); }

private:
    enum class Step { serving, announced, draining, cut };

    void raise(Step step) {
        Step before = step_.load();
        while (before < step && !step_.compare_exchange_weak(before, step)) {
        }
    }

    std::atomic<Step> step_ = Step::serving;
};

}  // namespace lifecycle::http
