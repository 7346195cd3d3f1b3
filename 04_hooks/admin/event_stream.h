#pragma once

#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

#include "admin/lifecycle_status.h"

namespace stage {

/// Answers with the status as a stream of events named `state`: at once, then whenever it differs from
/// what was sent (looked at ten times a second), at least twice a second. Blocks until the client has
/// left, the request is cut, or the process has stopped, which is the last event.
/// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
void streamStatus(const LifecycleStatus& status, Poco::Net::HTTPServerRequest& request,
                  Poco::Net::HTTPServerResponse& response);

}  // namespace stage
