#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "lifecycle/context.h"

namespace lifecycle {

/// Shutting down a service poses two questions: how to keep new requests out, and how to know when the old ones are
/// done. A gate answers both: each request that enters holds a Guard. Once the gate is closed no request enters, and
/// wait() returns when the last guard is destroyed.
///
/// A guard is what "in flight" means, so for a request it must live until the response has been
/// flushed to the socket, not only until the handler returns: see keepUntilFlushed.
///
/// tryEnter and the end of a guard cost one atomic operation each; only the last one to leave a
/// closed gate takes a mutex. Thread-safe. The gate must outlive
/// its guards.
///
///     if (auto guard = gate.tryEnter()) { serve(request); } else { reject(request); }
///     …
///     gate.close();
///     const bool drained = gate.wait(context);
///
/// The name and the idea are Seastar's: seastar/core/gate.hh.
class Gate {
public:
    /// A place inside the gate, given back when the guard is destroyed.
    class Guard {
    public:
        Guard(Guard&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
        Guard& operator=(Guard&& other) noexcept {
            std::swap(gate_, other.gate_);
            return *this;
        }
        ~Guard() {
            if (gate_ != nullptr) {
                gate_->leave();
            }
        }

    private:
        friend class Gate;
        explicit Guard(Gate* gate) noexcept : gate_(gate) {}

        Gate* gate_;
    };

    Gate() = default;
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    /// Empty once the gate is closed.
    [[nodiscard]] std::optional<Guard> tryEnter() noexcept {
        // Compare and swap rather than add and undo: a closed gate becomes empty only once, and may be destroyed then.
        std::uint64_t state = state_.load(std::memory_order_relaxed);
        while ((state & closedBit) == 0) {
            if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
                return Guard(this);
            }
        }
        return std::nullopt;
    }

    /// From now on tryEnter() returns nothing. May be called more than once.
    void close() noexcept;

    bool closed() const noexcept { return (state_.load() & closedBit) != 0; }

    /// How many guards exist. While requests come and go this is a figure to report, not to act on.
    std::uint64_t count() const noexcept { return state_.load() & ~closedBit; }

    /// Blocks until the gate, which must have been closed, is empty (true) or the context is done
    /// first (false). Several threads may wait. Throws std::logic_error if the gate is open: the
    /// answer would be out of date at once.
    bool wait(const Context& context);

private:
    static constexpr std::uint64_t closedBit = std::uint64_t{1} << 63;

    void leave() noexcept {
        if (state_.fetch_sub(1, std::memory_order_acq_rel) == (closedBit | 1)) {
            becomeEmpty();
        }
    }
    void becomeEmpty() noexcept;

    // The closed bit and the number of guards in one word: "closed and empty" is one comparison.
    std::atomic<std::uint64_t> state_ = 0;
    std::mutex mutex_;
    std::condition_variable_any empty_;
    bool isEmpty_ = false;  // guarded by mutex_; set by whoever makes the closed gate empty
};

}  // namespace lifecycle
