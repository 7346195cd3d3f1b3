#include "admin/event_stream.h"

#include <chrono>
#include <ostream>
#include <string>

#include "lifecycle/http_server.h"
#include "admin/status_text.h"

namespace stage {
namespace {

using namespace std::chrono_literals;
using Poco::Net::HTTPServerRequest;

constexpr lifecycle::Duration lookInterval = 100ms;
constexpr lifecycle::Duration longestSilence = 500ms;

/// What makes two snapshots different for a reader, apart from the time that passes.
std::string withoutTimes(StatusSnapshot status) {
    status.uptime = {};
    if (status.remaining) {
        status.remaining = lifecycle::Duration::zero();
    }
    for (lifecycle::ConnectionInfo& connection : status.connections) {
        connection.age = {};
    }
    for (lifecycle::HookReport& hook : status.hooks) {
        hook.took = {};
    }
    return toJson(status);
}

}  // namespace

void streamStatus(const LifecycleStatus& status, HTTPServerRequest& request,
                  Poco::Net::HTTPServerResponse& response) {
    response.setContentType("text/event-stream");
    response.set("Cache-Control", "no-store");
    response.setChunkedTransferEncoding(request.getVersion() == HTTPServerRequest::HTTP_1_1);
    response.setKeepAlive(false);
    std::ostream& stream = response.send();
    if (request.getMethod() == HTTPServerRequest::HTTP_HEAD) {
        return;
    }
    const lifecycle::Context requested = lifecycle::requestContext(request);
    std::string known;
    lifecycle::TimePoint silentSince{};
    for (bool last = false; !last && stream && !requested.done();) {
        last = status.ended().waitFor(known.empty() ? 0ms : lookInterval);
        const StatusSnapshot snapshot = status.snapshot();
        std::string current = withoutTimes(snapshot);
        const lifecycle::TimePoint now = lifecycle::Clock::now();
        if (last || current != known || now - silentSince >= longestSilence) {
            stream << "event: state\ndata: " << toJson(snapshot) << "\n\n" << std::flush;
            known = std::move(current);
            silentSince = now;
        }
    }
}

}  // namespace stage
