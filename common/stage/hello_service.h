#pragma once

#include <atomic>

#include <Poco/Net/HTTPRequestHandlerFactory.h>

#include "lifecycle/duration.h"

namespace stage {

/// The service that the server stages offer, as handlers for any Poco HTTP server:
///
///     GET /hello[?work=300ms]   works that long, then says hello
///     GET /healthz              200: the process serves at all
///     GET /readyz               200, or 503 once the stage has been asked to end
///
/// Called on the server's threads, many at once.
class HelloService : public Poco::Net::HTTPRequestHandlerFactory {
public:
    /// `work` is how long /hello works when the request does not say; `ready` is what /readyz tells,
    /// and must outlive the service.
    HelloService(lifecycle::Duration work, const std::atomic<bool>& ready);

    Poco::Net::HTTPRequestHandler* createRequestHandler(
        const Poco::Net::HTTPServerRequest& request) override;

private:
    const lifecycle::Duration work_;
    const std::atomic<bool>& ready_;
};

}  // namespace stage
