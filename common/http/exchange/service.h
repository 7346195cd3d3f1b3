#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerParams.h>

#include "http/exchange/announcement.h"
#include "http/exchange/counters.h"
#include "http/exchange/phase.h"
#include "lifecycle/context.h"
#include "lifecycle/event_log.h"
#include "lifecycle/http_server.h"

namespace lifecycle::http {

/// What all exchanges of a server have in common: whom to call, by which settings, and where to count.
struct Service {
    Service(Poco::Net::HTTPRequestHandlerFactory::Ptr handlerFactory, HttpServerOptions serverOptions);

    const HttpServerOptions options;
    Poco::Net::HTTPRequestHandlerFactory::Ptr factory;
    Poco::Net::HTTPServerParams::Ptr params;  ///< for Poco's classes only
    const std::string keepAliveHint;                ///< the Keep-Alive field of responses; empty for none
    const CancelableContext cutting;                ///< done when requests are cut
    Phase phase;
    Announcement announcement{phase, cutting.context};
    Counters counters;

    void emit(std::string_view word, std::initializer_list<EventField> fields) const {
        if (options.events != nullptr) {
            options.events->emit(word, fields);
        }
    }

    /// Sends a 503 without reading the request, and counts it. Needs no memory.
    void shed(int descriptor, std::string_view peer, const char* reason) noexcept;
};

/// Reads what is there and drops it, up to a limit: a client that sends faster than we read must not keep this thread
/// from everybody else. False once the connection has ended. Never waits.
bool dropInput(int descriptor);

}  // namespace lifecycle::http
