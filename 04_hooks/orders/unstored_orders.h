#pragma once

#include <cstdint>

#include "lifecycle/duration.h"
#include "lifecycle/event_log.h"
#include "orders/order_store.h"

namespace stage {

/// Whether every order that was taken is in the file: a last attempt, in case the hook `orders` failed. Blocks for one
/// second at most.
bool allStored(OrderStore& store);

/// Abandons the orders that are not stored, and logs `orders.unstored`. Returns how many are lost, at most. Blocks for
/// twice `patience` at most. Nothing can be done with the store afterwards.
std::uint64_t abandonUnstored(OrderStore& store, lifecycle::EventLog& events, lifecycle::Duration patience);

}  // namespace stage
