#pragma once

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

#include "lifecycle/context.h"

namespace lifecycle {

/// Readiness for load balancers, which ask for it about once a second (`GET /readyz`): 200 "ready" until `stopping` is
/// done, from then on 503 "shutting down" with `Connection: close`. With ShutdownSignals::context() that is from the
/// first signal on. Works with every Poco HTTP server, which makes one for each request.
///
///     if (request.getURI() == "/readyz") { return new ReadinessHandler(signals.context()); }
class ReadinessHandler : public Poco::Net::HTTPRequestHandler {
public:
    explicit ReadinessHandler(Context stopping);

    void handleRequest(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response) override;

private:
    const Context stopping_;
};

}  // namespace lifecycle
