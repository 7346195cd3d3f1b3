#include "http/exchange.h"

#include <memory>
#include <optional>

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponseImpl.h>
#include <Poco/Net/NetException.h>
#include <Poco/Timestamp.h>

#include "http/server_core.h"

namespace lifecycle::http {

using Poco::Net::HTTPResponse;

/// Poco's response, which says `Connection: close` if the server is closing at the moment the header
/// is sent: not earlier, when nobody knows that yet.
class Response : public Poco::Net::HTTPServerResponseImpl {
public:
    Response(ServerCore& core, Connection& connection, HttpSession& session)
        : HTTPServerResponseImpl(session), core_(core), connection_(connection) {}

    std::ostream& send() override {
        const bool hasNoBody = getStatus() < HTTP_OK || getStatus() == HTTP_NO_CONTENT ||
                               getStatus() == HTTP_NOT_MODIFIED;
        beforeHeader(!hasNoBody && !getChunkedTransferEncoding() && !hasContentLength());
        return HTTPServerResponseImpl::send();
    }
    void sendFile(const std::string& path, const std::string& mediaType) override {
        beforeHeader();
        HTTPServerResponseImpl::sendFile(path, mediaType);
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
    void beforeHeader(bool endsWithConnection = false) {
        const bool closing = core_.closing.load();
        if (closing || !getKeepAlive()) {
            set(CONNECTION, "close");
        }
        core_.answeredWithClose += closing ? 1 : 0;
        connection_.beginAnswer(endsWithConnection);
    }

    ServerCore& core_;
    Connection& connection_;
};

/// Poco's request, which knows the context of its server, and what to keep until it is answered.
class Request : public Poco::Net::HTTPServerRequestImpl {
public:
    Request(ServerCore& core, const ConnectionSocket& socket, Response& response, HttpSession& session,
            std::vector<Gate::Guard>& guards)
        : HTTPServerRequestImpl(response, session, core.params.get()),
          context_(core.cutting.context),
          socket_(socket),
          guards_(guards) {}

    const Context& context() const { return context_; }
    bool endedEarly() const { return socket_.endOfStream(); }
    void keep(Gate::Guard guard) { guards_.push_back(std::move(guard)); }

    /// A body follows, and where it ends is known.
    bool hasBody() const {
        return getChunkedTransferEncoding() || (hasContentLength() && getContentLength64() > 0);
    }

    /// Without a length Poco takes all that follows for the body.
    bool bodyIsEndless() const {
        return !getChunkedTransferEncoding() && !hasContentLength() && getMethod() != HTTP_GET &&
               getMethod() != HTTP_HEAD && getMethod() != HTTP_DELETE;
    }

private:
    const Context& context_;
    const ConnectionSocket& socket_;
    std::vector<Gate::Guard>& guards_;
};

Arrival HttpSession::awaitRequest(ConnectionSocket::Patience patience) try {
    if (hasBytes()) {
        return Arrival::bytes;
    }
    socket_.setPatience(patience);
    const bool bytes = peek() != std::char_traits<char>::eof();
    const bool quiet = socket_.gaveUp();
    socket_.setPatience(ConnectionSocket::Patience::full);
    return bytes ? Arrival::bytes : quiet ? Arrival::quiet : Arrival::end;
} catch (const Poco::Exception&) {
    return Arrival::end;
}

Exchange::Exchange(ServerCore& core, Connection& connection, HttpSession& session)
    : core_(core), connection_(connection), session_(session) {}

ExchangeEnd Exchange::run() noexcept try {
    ConnectionSocket& socket = connection_.socket();
    const TimePoint begin = Clock::now();
    connection_.become(ConnectionState::reading, begin);
    socket.limitReceiving(begin + core_.options.ioTimeout);

    std::uint64_t number = 0;
    std::string path;
    int status = 0;
    ExchangeEnd end = ExchangeEnd::close;
    {
        Response response(core_, connection_, session_);
        std::optional<Request> request;
        try {
            request.emplace(core_, socket, response, session_, guards_);
        } catch (const std::exception&) {
            if (socket.endOfStream() || session_.networkException() != nullptr) {
                return ExchangeEnd::close;  // The client left, or took too long.
            }
            return sendError(HTTPResponse::HTTP_BAD_REQUEST);
        }
        if (socket.endOfStream()) {
            return ExchangeEnd::close;  // Poco takes half a header at the end for a whole one.
        }
        socket.limitReceiving(std::nullopt);
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
    response.setDate(Poco::Timestamp());
    response.setVersion(request.getVersion());
    response.setKeepAlive(request.getKeepAlive() && !request.bodyIsEndless());
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
    const bool reusable = bodyIsRead(request);
    if (!reusable) {
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
    if (request.getExpectContinue() && response.getStatus() == HTTPResponse::HTTP_OK) {
        response.sendContinue();
    }
    handler->handleRequest(request, response);
}

bool Exchange::bodyIsRead(Request& request) {
    if (request.bodyIsEndless()) {
        return false;
    }
    if (!request.hasBody() || request.stream().eof()) {
        return true;
    }
    // What has arrived is dropped without waiting. Left there, it would be read as the next request.
    constexpr std::streamsize most = 64 * 1024;
    ConnectionSocket& socket = connection_.socket();
    socket.setPatience(ConnectionSocket::Patience::none);
    request.stream().ignore(most);
    const bool complete = request.stream().eof() && !socket.gaveUp();
    socket.setPatience(ConnectionSocket::Patience::full);
    return complete;
}

ExchangeEnd Exchange::sendError(int status) {
    {
        Response response(core_, connection_, session_);
        response.setVersion(Poco::Net::HTTPMessage::HTTP_1_1);
        response.setStatusAndReason(static_cast<HTTPResponse::HTTPStatus>(status));
        response.setContentLength(0);
        response.setKeepAlive(false);
        response.send();
    }
    return ExchangeEnd::lingeringClose;
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
