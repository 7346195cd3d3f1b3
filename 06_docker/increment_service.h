#pragma once

#include <Poco/Net/HTTPRequestHandlerFactory.h>

#include "counter.h"
#include "increments.h"

namespace stage {

/// When a client of /incr gets its answer.
enum class Answer {
    first,  ///< before the work, which goes on in the background
    last,   ///< when the counter is one higher
};

/// The counting, in front of another service that answers all else:
///
///     GET /incr      200; 503 with Retry-After if there is too much work
///     GET /counter   the sum of all, whoever counted; 503 if it cannot be known now
///
/// Called on the server's threads, many at once.
class IncrementService : public Poco::Net::HTTPRequestHandlerFactory {
public:
    /// `increments` and `counter` must outlive the handlers.
    IncrementService(Increments& increments, Counter& counter, Answer answer, Ptr otherwise);

    Poco::Net::HTTPRequestHandler* createRequestHandler(
        const Poco::Net::HTTPServerRequest& request) override;

private:
    Increments& increments_;
    Counter& counter_;
    const Answer answer_;
    Ptr otherwise_;
};

}  // namespace stage
