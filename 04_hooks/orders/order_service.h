#pragma once

#include <Poco/Net/HTTPRequestHandlerFactory.h>

#include "orders/order_store.h"

namespace stage {

/// POST /orders, in front of another service that answers all else:
///
///     202 {"id":17}     taken, and as good as stored
///     400 {"error":…}   no order; the reason in words
///     413               more than 64 KiB
///     503 Retry-After   cannot be taken now: the queue is full, the database fails, or the end is near
///
/// Called on the server's threads, many at once. A handler never waits for the database.
class OrderService : public Poco::Net::HTTPRequestHandlerFactory {
public:
    /// `store` must outlive the handlers.
    OrderService(OrderStore& store, Ptr otherwise);

    Poco::Net::HTTPRequestHandler* createRequestHandler(
        const Poco::Net::HTTPServerRequest& request) override;

private:
    OrderStore& store_;
    Ptr otherwise_;
};

}  // namespace stage
