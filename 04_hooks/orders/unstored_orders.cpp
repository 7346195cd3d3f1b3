#include "orders/unstored_orders.h"

#include <exception>

#include "lifecycle/context.h"

namespace stage {

bool allStored(OrderStore& store) {
    if (store.counters().waiting > 0) {
        return false;
    }
    try {
        store.finish(withTimeout(lifecycle::Context::background(), std::chrono::seconds(1)).context);
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

std::uint64_t abandonUnstored(OrderStore& store, lifecycle::EventLog& events, lifecycle::Duration patience) {
    const OrderStore::Unstored unstored = store.abandon(patience);
    events.emitWithin(patience, "orders.unstored",
                      {{"count", unstored.count}, {"note", unstored.count == 0 ? "nothing is lost"
                                                           : unstored.exact    ? "acknowledged and lost"
                                                                               : "at most"}});
    return unstored.count;
}

}  // namespace stage
