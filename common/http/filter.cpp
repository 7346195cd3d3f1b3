#include "lifecycle/filter.h"

#include <Poco/Net/HTTPRequestHandler.h>

#include "lifecycle/http_server.h"

namespace lifecycle {
namespace {

using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

/// The handler of the service, behind the filters.
class FilteredHandler : public Poco::Net::HTTPRequestHandler {
public:
    FilteredHandler(std::unique_ptr<HTTPRequestHandler> handler,
                    const std::vector<std::shared_ptr<Filter>>& filters)
        : handler_(std::move(handler)), filters_(filters) {}

    void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
        callFrom(0, request, response);
    }

private:
    void callFrom(std::size_t position, HTTPServerRequest& request, HTTPServerResponse& response) {
        if (position == filters_.size()) {
            handler_->handleRequest(request, response);
            return;
        }
        filters_[position]->handle(request, response,
                                   [this, position](HTTPServerRequest& passed, HTTPServerResponse& answer) {
                                       callFrom(position + 1, passed, answer);
                                   });
    }

    const std::unique_ptr<HTTPRequestHandler> handler_;
    const std::vector<std::shared_ptr<Filter>>& filters_;  // of the service, which outlives us
};

}  // namespace

FilteredService::FilteredService(Ptr service, std::vector<std::shared_ptr<Filter>> filters)
    : service_(std::move(service)), filters_(std::move(filters)) {}

Poco::Net::HTTPRequestHandler* FilteredService::createRequestHandler(const HTTPServerRequest& request) {
    std::unique_ptr<Poco::Net::HTTPRequestHandler> handler(service_->createRequestHandler(request));
    // Null is the service's word for "not implemented", and the server answers that.
    return handler ? new FilteredHandler(std::move(handler), filters_) : nullptr;
}

void GateFilter::handle(HTTPServerRequest& request, HTTPServerResponse& response, const Next& next) {
    std::optional<Gate::Guard> guard = gate_.tryEnter();
    if (!guard) {
        response.setStatusAndReason(HTTPServerResponse::HTTP_SERVICE_UNAVAILABLE);
        response.set("Retry-After", "1");
        response.setKeepAlive(false);
        response.setContentType("text/plain");
        constexpr std::string_view text = "shutting down\n";
        response.sendBuffer(text.data(), text.size());
        return;
    }
    const std::optional<Gate::Guard> ours = keepUntilFlushed(request, std::move(*guard));
    next(request, response);
}

void TimingFilter::handle(HTTPServerRequest& request, HTTPServerResponse& response, const Next& next) {
    /// Also counts when the handler throws.
    struct Measure {
        TimingFilter& filter;
        const TimePoint begin = Clock::now();
        ~Measure() {
            const std::int64_t took = (Clock::now() - begin).count();
            filter.count_.fetch_add(1, std::memory_order_relaxed);
            filter.sum_.fetch_add(took, std::memory_order_relaxed);
            std::int64_t longest = filter.longest_.load(std::memory_order_relaxed);
            while (longest < took && !filter.longest_.compare_exchange_weak(longest, took)) {
            }
        }
    } measure{*this};
    next(request, response);
}

TimingFilter::Totals TimingFilter::totals() const {
    return {count_.load(), Duration(sum_.load()), Duration(longest_.load())};
}

}  // namespace lifecycle
