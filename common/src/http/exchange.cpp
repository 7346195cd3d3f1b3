#include "http/exchange.h"

#include <istream>
#include <memory>
#include <optional>

#include <Poco/CountingStream.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponseImpl.h>
#include <Poco/Net/NetException.h>
#include <Poco/Timestamp.h>
#include <Poco/Version.h>

#include "http/request_body.h"
#include "http/request_head.h"
#include "http/server_core.h"

namespace lifecycle::http {

using Poco::Net::HTTPResponse;

/// How much of a body that nobody wants is read, so that the connection can be used again.
constexpr std::uint64_t mostDropped = 64 * 1024;

/// Poco's response, which says `Connection: close` if the server is closing at the moment the header
/// is sent: not earlier, when nobody knows that yet.
class Response : public Poco::Net::HTTPServerResponseImpl {
public:
    Response(ServerCore& core, Connection& connection, HttpSession& session)
        : HTTPServerResponseImpl(session), core_(core), connection_(connection), session_(session) {}

    /// The request that is answered.
    void answers(Request& request) { request_ = &request; }

    std::ostream& send() override {
        const bool inChunks = getChunkedTransferEncoding();
        beforeHeader(hasBody() && !inChunks && !hasContentLength());
        if (hasBody() && !inChunks && hasContentLength()) {
            announceLength();
        }
        return HTTPServerResponseImpl::send();
    }
    void sendFile(const std::string& path, const std::string& mediaType) override {
        beforeHeader();
        HTTPServerResponseImpl::sendFile(path, mediaType);
#if POCO_VERSION < 0x010e0000  // From 1.14 on the kernel sends it, past the session that counts.
        announceLength();  // as the file was when Poco had a look; it may have grown or shrunk since
#endif
    }
    void sendBuffer(const void* buffer, std::size_t length) override {
        beforeHeader();
        HTTPServerResponseImpl::sendBuffer(buffer, length);
    }
    void redirect(const std::string& uri, HTTPStatus status) override {
        beforeHeader();
        HTTPServerResponseImpl::redirect(uri, status);
    }

private:
    bool hasBody() const;
    void announceLength() const;
    void beforeHeader(bool endsWithConnection = false);

    ServerCore& core_;
    Connection& connection_;
    HttpSession& session_;
    Request* request_ = nullptr;
};

/// Poco's request, which knows the context of its server, and what to keep until it is answered.
class Request : public Poco::Net::HTTPServerRequestImpl {
public:
    Request(ServerCore& core, const ConnectionSocket& socket, Response& response, HttpSession& session,
            std::vector<Gate::Guard>& guards)
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

    const Context& context() const { return context_; }
    bool endedEarly() const { return socket_.endOfStream() || (body_ && body_->bytes.isBroken()); }

    /// Nothing of its body is in the way of a next request, or nothing but what is here already.
    bool leavesTheWayFree() const {
        return !body_ || body_->bytes.isHere(mostDropped);
    }

    /// Drops what is here of its body. True if nothing is missing.
    bool dropBody() {
        if (body_) {
            body_->bytes.drop(mostDropped);
        }
        return !body_ || body_->bytes.isRead();
    }

    /// Without a length there is none: RFC 9112, 6.3. Poco would take all that follows for the body.
    std::istream& stream() override {
        if (!body_) {
            body_ = std::make_unique<Body>(session_, 0);
        }
        return body_->stream;
    }
    void keep(Gate::Guard guard) { guards_.push_back(std::move(guard)); }

private:
    struct Body {
        Body(HttpSession& session, std::optional<std::uint64_t> length) : bytes(session, length) {}

        RequestBody bytes;
        std::istream stream{&bytes};
    };

    const Context& context_;
    HttpSession& session_;
    std::unique_ptr<Body> body_;  // made when it is asked for, if it is empty
    const ConnectionSocket& socket_;
    std::vector<Gate::Guard>& guards_;
};

bool Response::hasBody() const {
    const bool asked = request_ == nullptr || request_->getMethod() != Poco::Net::HTTPRequest::HTTP_HEAD;
    return asked && getStatus() >= HTTP_OK && getStatus() != HTTP_NO_CONTENT &&
           getStatus() != HTTP_NOT_MODIFIED;
}

void Response::announceLength() const {
    Poco::CountingOutputStream header;
    write(header);
    session_.announce(static_cast<std::uint64_t>(header.chars() + (hasBody() ? getContentLength64() : 0)));
}

void Response::beforeHeader(bool endsWithConnection) {
    const bool closing = core_.closing.load();
    if (request_ != nullptr && getKeepAlive() && !request_->leavesTheWayFree()) {
        setKeepAlive(false);  // The rest of the body is in the way of a next request.
    }
    if ((closing || !getKeepAlive()) && getStatus() != HTTP_SWITCHING_PROTOCOLS) {
        set(CONNECTION, "close");
    }
    core_.answeredWithClose += closing ? 1 : 0;
    connection_.beginAnswer(endsWithConnection);
    session_.beginAnswer();
}

Exchange::Exchange(ServerCore& core, Connection& connection, HttpSession& session)
    : core_(core), connection_(connection), session_(session) {}

ExchangeEnd Exchange::run() noexcept try {
    ConnectionSocket& socket = connection_.socket();
    const TimePoint begin = Clock::now();
    connection_.become(ConnectionState::reading, begin);

    std::uint64_t number = 0;
    std::string path;
    int status = 0;
    ExchangeEnd end = ExchangeEnd::close;
    {
        Response response(core_, connection_, session_);
        std::optional<Request> request;
        if (const auto status = whyRefused(socket.head())) {
            return refuse(*status);
        }
        try {
            request.emplace(core_, socket, response, session_, guards_);
        } catch (const std::exception&) {
            return refuse(HTTPResponse::HTTP_BAD_REQUEST);
        }
        if (!session_.endHead()) {
            return refuse(HTTPResponse::HTTP_BAD_REQUEST);
        }
        if (!connection_.beginRequest(request->getMethod(), request->getURI())) {
            return ExchangeEnd::close;
        }
        number = core_.requests.fetch_add(1) + 1;
        path = request->getURI();
        core_.emit("request.begin", {{"id", number},
                                     {"method", request->getMethod()},
                                     {"path", path},
                                     {"peer", connection_.peer()}});
        end = answer(*request, response);
        status = response.getStatus();
    }  // Here the response is flushed.

    const bool clientLeft = session_.networkException() != nullptr;
    const TimePoint now = Clock::now();
    if (!connection_.endRequest(now, core_.served)) {
        // It counts as cut already. A socket that was taken over is not ours to close.
        return end == ExchangeEnd::takenOver ? end : ExchangeEnd::close;
    }
    if (!clientLeft && error_.empty() && end != ExchangeEnd::takenOver && session_.brokeItsWord()) {
        error_ = "the answer is not as long as its Content-Length";
        connection_.breakOff();
        end = ExchangeEnd::close;
    }
    const Duration took = now - begin;
    if (!error_.empty()) {
        core_.emit("request.end",
                   {{"id", number}, {"path", path}, {"status", status}, {"took", took}, {"error", error_}});
    } else if (clientLeft) {
        core_.emit("request.end", {{"id", number},
                                   {"path", path},
                                   {"status", status},
                                   {"took", took},
                                   {"note", "the client left early"}});
    } else {
        core_.emit("request.end", {{"id", number}, {"path", path}, {"status", status}, {"took", took}});
    }
    return clientLeft && end != ExchangeEnd::takenOver ? ExchangeEnd::close : end;
} catch (...) {
    return ExchangeEnd::close;  // No memory.
}

ExchangeEnd Exchange::answer(Request& request, Response& response) {
    response.answers(request);
    response.setDate(Poco::Timestamp());
    response.setVersion(request.getVersion());
    response.setKeepAlive(request.getKeepAlive() && !asksForClose(request));
    try {
        callHandler(request, response);
    } catch (const Poco::Exception& error) {
        error_ = error.displayText();
    } catch (const std::exception& error) {
        error_ = error.what();
    } catch (...) {
        error_ = "unknown exception";
    }

    if (session_.socket().impl() != &connection_.socket()) {
        return ExchangeEnd::takenOver;
    }
    if (!response.sent()) {
        response.setStatusAndReason(HTTPResponse::HTTP_INTERNAL_SERVER_ERROR);
        response.setContentLength(0);
        response.setChunkedTransferEncoding(false);
        response.setKeepAlive(false);
        response.send();
        if (error_.empty()) {
            error_ = "the handler sent no answer";
        }
    } else if (!error_.empty()) {
        // The end that the response would write must not make half an answer look whole.
        connection_.breakOff();
        return ExchangeEnd::close;
    }
    if (!bodyIsDropped(request)) {
        return ExchangeEnd::lingeringClose;
    }
    return response.getKeepAlive() ? ExchangeEnd::keepAlive : ExchangeEnd::close;
}

void Exchange::callHandler(Request& request, Response& response) {
    const std::unique_ptr<Poco::Net::HTTPRequestHandler> handler(
        core_.factory->createRequestHandler(request));
    if (!handler) {
        response.setStatusAndReason(HTTPResponse::HTTP_NOT_IMPLEMENTED);
        response.setContentLength(0);
        response.setKeepAlive(false);
        response.send();
        return;
    }
    if (request.getExpectContinue() && request.getVersion() == Request::HTTP_1_1 &&
        response.getStatus() == HTTPResponse::HTTP_OK) {
        response.sendContinue();
    }
    handler->handleRequest(request, response);
}

/// Left there, what has arrived of the body would be read as the next request.
bool Exchange::bodyIsDropped(Request& request) try {
    ConnectionSocket& socket = connection_.socket();
    socket.setWaiting(false);
    const bool dropped = request.dropBody();
    socket.setWaiting(true);
    return dropped;
} catch (const std::exception&) {
    return false;  // The client has reset the connection.
}

ExchangeEnd Exchange::refuse(HTTPResponse::HTTPStatus status) noexcept try {
    core_.emit("request.malformed", {{"status", static_cast<int>(status)},
                                     {"peer", connection_.peer()},
                                     {"note", "not what HTTP allows, counted nowhere"}});
    {
        Response response(core_, connection_, session_);
        response.setVersion(Poco::Net::HTTPMessage::HTTP_1_1);
        response.setStatusAndReason(status);
        response.setContentLength(0);
        response.setKeepAlive(false);
        response.send();
    }
    return ExchangeEnd::lingeringClose;
} catch (...) {
    return ExchangeEnd::close;  // No memory, or the client has left.
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
