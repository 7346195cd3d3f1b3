#include "lifecycle/gate.h"

#include <stdexcept>

namespace lifecycle {

void Gate::close() noexcept {
    const std::uint64_t before = state_.fetch_or(closedBit, std::memory_order_acq_rel);
    if (before == 0) {
        becomeEmpty();
    }
}

void Gate::becomeEmpty() noexcept {
    // The waiter may destroy the gate as soon as it gets the mutex, so nothing follows the unlock.
    const std::lock_guard lock(mutex_);
    isEmpty_ = true;
    empty_.notify_all();
}

bool Gate::wait(const Context& context) {
    if (!closed()) {
        throw std::logic_error("Gate::wait: close the gate first");
    }
    std::unique_lock lock(mutex_);
    return empty_.wait(lock, context.token(), [this] { return isEmpty_; });
}

}  // namespace lifecycle
