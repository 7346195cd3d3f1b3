#pragma once

#include <Poco/Net/HTTPRequestHandlerFactory.h>

#include "lifecycle/context.h"
#include "lifecycle/duration.h"

namespace stage {

/// The service that the server stages offer, as handlers for any Poco HTTP server:
///
///     GET /hello[?work=300ms]   works that long, then says hello
///     GET /healthz              200: the process serves at all
///     GET /readyz               200, or 503 once the stage has been asked to shut down
///
/// Called on the server's threads, many at once.
class HelloService : public Poco::Net::HTTPRequestHandlerFactory {
public:
    /// `work` is how long /hello works if the request does not specify it. /readyz responds 503 once `stopping` is done.
    HelloService(lifecycle::Duration work, lifecycle::Context stopping);

    Poco::Net::HTTPRequestHandler* createRequestHandler(
        const Poco::Net::HTTPServerRequest& request) override;

private:
    const lifecycle::Duration work_;
    const lifecycle::Context stopping_;
};

}  // namespace stage
