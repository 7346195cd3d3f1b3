#include "http/exchange/request.h"

#include "http/exchange/service.h"
#include "lifecycle/http_server.h"

namespace lifecycle::http {
namespace {

/// How much of a body that nobody wants is read, so that the connection can be used again.
constexpr std::uint64_t maxSkipped = 64 * 1024;

}  // namespace

Request::Request(Service& service, ConnectionSocket& socket, Poco::Net::HTTPServerResponseImpl& response,
                 HttpSession& session, std::vector<Gate::Guard>& guards)
    : HTTPServerRequestImpl(response, session, service.params.get()),
      service_(service),
      session_(session),
      socket_(socket),
      isPersistent_(socket.head().isPersistent()),
      guards_(guards) {
    const RequestHead& head = socket.head();
    setMethod(std::string(head.method()));
    setURI(std::string(head.target()));
    setVersion(std::string(head.version()));
    for (std::size_t number = 0; number < head.fieldCount(); ++number) {
        add(std::string(head.fieldName(number)), std::string(head.fieldValue(number)));
    }
    if (const auto authority = head.authority()) {
        setHost(std::string(*authority));
    }
    if (head.bodyLength() != 0) {
        body_ = std::make_unique<Body>(session, head.bodyLength());
    }
    socket.endHead();
}

std::optional<std::uint64_t> Request::unreadBody() const {
    const std::optional<std::uint64_t> missing = body_ ? body_->bytes.missing() : 0;
    return missing <= maxSkipped ? missing : std::nullopt;
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
    return ours != nullptr ? ours->service().cutting.context : Context::background();
}

Context shutdownContext(const Poco::Net::HTTPServerRequest& request) {
    const auto* ours = dynamic_cast<const http::Request*>(&request);
    return ours != nullptr ? ours->service().announcement.context() : Context::background();
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
