#include "http/exchange.h"

#include <memory>
#include <optional>

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/NetException.h>
#include <Poco/Timestamp.h>

#include "http/request.h"
#include "http/request_head.h"
#include "http/response.h"
#include "http/server_core.h"

namespace lifecycle::http {

using Poco::Net::HTTPResponse;

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
