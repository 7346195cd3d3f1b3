#pragma once

#include <atomic>

#include <Poco/Net/HTTPRequestHandlerFactory.h>

#include "admin/lifecycle_status.h"
#include "lifecycle/context.h"

namespace stage {

/// A look into the process, for load balancers, monitoring and people. Nothing here changes anything.
///
///     GET /          a page that draws what follows live
///     GET /readyz    200, or 503 once the process has been asked to shut down
///     GET /healthz   200
///     GET /drainz    where it stands and what it waits for, as JSON
///     GET /events    the same again and again, as server-sent events, until the process has stopped
///     GET /metrics   for Prometheus
///
/// Called on the server's threads, many at once. At most 64 streams of events at once: they hold a
/// thread each, and the probes of the load balancer need some, too.
class AdminService : public Poco::Net::HTTPRequestHandlerFactory {
public:
    /// `status` must outlive the handlers. /readyz responds 503 once `stopping` is done.
    AdminService(const LifecycleStatus& status, lifecycle::Context stopping);

    Poco::Net::HTTPRequestHandler* createRequestHandler(
        const Poco::Net::HTTPServerRequest& request) override;

private:
    void page(Poco::Net::HTTPServerRequest&, Poco::Net::HTTPServerResponse&);
    void readiness(Poco::Net::HTTPServerRequest&, Poco::Net::HTTPServerResponse&);
    void health(Poco::Net::HTTPServerRequest&, Poco::Net::HTTPServerResponse&);
    void drain(Poco::Net::HTTPServerRequest&, Poco::Net::HTTPServerResponse&);
    void events(Poco::Net::HTTPServerRequest&, Poco::Net::HTTPServerResponse&);
    void metrics(Poco::Net::HTTPServerRequest&, Poco::Net::HTTPServerResponse&);

    const LifecycleStatus& status_;
    const lifecycle::Context stopping_;
    std::atomic<int> streams_ = 0;
};

}  // namespace stage
