#include "http/request.h"

#include "http/server_core.h"
#include "lifecycle/http_server.h"

namespace lifecycle::http {
namespace {

/// How much of a body that nobody wants is read, so that the connection can be used again.
constexpr std::uint64_t mostDropped = 64 * 1024;

}  // namespace

Request::Request(ServerCore& core, const ConnectionSocket& socket, Poco::Net::HTTPServerResponseImpl& response,
                 HttpSession& session, std::vector<Gate::Guard>& guards)
    : HTTPServerRequestImpl(response, session, core.params.get()),
      context_(core.cutting.context),
      session_(session),
      socket_(socket),
      guards_(guards) {
    if (getChunkedTransferEncoding()) {
        body_ = std::make_unique<Body>(session, std::nullopt);
    } else if (hasContentLength()) {
        body_ = std::make_unique<Body>(session, static_cast<std::uint64_t>(getContentLength64()));
    }
}

bool Request::leavesTheWayFree() const {
    return !body_ || body_->bytes.isHere(mostDropped);
}

bool Request::dropBody() {
    if (body_) {
        body_->bytes.drop(mostDropped);
    }
    return !body_ || body_->bytes.isRead();
}

std::istream& Request::stream() {
    if (!body_) {
        body_ = std::make_unique<Body>(session_, 0);
    }
    return body_->stream;
}

}  // namespace lifecycle::http

namespace lifecycle {

Context requestContext(const Poco::Net::HTTPServerRequest& request) {
    const auto* ours = dynamic_cast<const http::Request*>(&request);
    return ours != nullptr ? ours->context() : Context::background();
}

bool endedEarly(const Poco::Net::HTTPServerRequest& request) {
    const auto* ours = dynamic_cast<const http::Request*>(&request);
    return ours != nullptr && ours->endedEarly();
}

std::optional<Gate::Guard> keepUntilFlushed(Poco::Net::HTTPServerRequest& request, Gate::Guard guard) {
    if (auto* ours = dynamic_cast<http::Request*>(&request)) {
        ours->keep(std::move(guard));
        return std::nullopt;
    }
    return guard;
}

}  // namespace lifecycle
