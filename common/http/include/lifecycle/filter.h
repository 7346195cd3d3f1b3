#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

#include "lifecycle/duration.h"
#include "lifecycle/gate.h"

namespace lifecycle {

/// Something done around every request, without touching the handlers: timing, refusing, logging.
/// Called on the server's threads, many at once.
class Filter {
public:
    virtual ~Filter() = default;

    /// The rest of the chain: the next filter, at last the handler.
    using Next = std::function<void(Poco::Net::HTTPServerRequest&, Poco::Net::HTTPServerResponse&)>;

    /// Calls `next` to go on, or answers itself.
    virtual void handle(Poco::Net::HTTPServerRequest& request,
                        Poco::Net::HTTPServerResponse& response, const Next& next) = 0;
};

/// A service with filters around its handlers, the first filter outermost. Works with every Poco
/// HTTP server.
class FilteredService : public Poco::Net::HTTPRequestHandlerFactory {
public:
    FilteredService(Ptr service, std::vector<std::shared_ptr<Filter>> filters);

    Poco::Net::HTTPRequestHandler* createRequestHandler(
        const Poco::Net::HTTPServerRequest& request) override;

private:
    Ptr service_;
    const std::vector<std::shared_ptr<Filter>> filters_;
};

/// Lets requests in while a gate is open, and answers 503 with Retry-After and Connection: close
/// once it is closed. A request holds its place until its answer has been flushed.
class GateFilter : public Filter {
public:
    /// `gate` must outlive the server.
    explicit GateFilter(Gate& gate) : gate_(gate) {}

    void handle(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response,
                const Next& next) override;

private:
    Gate& gate_;
};

/// Measures how long the handlers take.
class TimingFilter : public Filter {
public:
    void handle(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response,
                const Next& next) override;

    struct Totals {
        std::uint64_t count = 0;
        Duration sum{};
        Duration longest{};
    };
    Totals totals() const;

private:
    std::atomic<std::uint64_t> count_ = 0;
    std::atomic<std::int64_t> sum_ = 0;      // nanoseconds
    std::atomic<std::int64_t> longest_ = 0;  // nanoseconds
};

}  // namespace lifecycle
