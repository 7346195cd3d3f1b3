#pragma once

#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerRequest.h>

/// GET /ticks: server-sent events, ten a second, without an end, as a page that stays open asks for. When the shutdown is
/// announced the stream ends properly, with a `retry:` for the browser's EventSource, which then connects to the next
/// process. All other requests go to the service that it wraps.
/// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
class TicksService : public Poco::Net::HTTPRequestHandlerFactory {
public:
    /// With `deaf` the stream does not listen to the announcement, for comparison: it ends when it is cut.
    TicksService(Ptr otherwise, bool deaf);

    Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest& request) override;

private:
    Ptr otherwise_;
    const bool deaf_;
};
