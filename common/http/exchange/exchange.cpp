#include "http/exchange/exchange.h"

#include <memory>
#include <new>
#include <optional>

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/NetException.h>
#include <Poco/Timestamp.h>

#include "http/exchange/request.h"
#include "http/exchange/response.h"
#include "http/loop/server_core.h"

namespace lifecycle::http {

using Poco::Net::HTTPResponse;

Exchange::Exchange(ServerCore& core, Connection& connection, HttpSession& session)
    : core_(core), connection_(connection), session_(session) {}

ExchangeEnd Exchange::run() noexcept try {
    const TimePoint begin = Clock::now();
    connection_.beginParsing(begin);
    session_.clearTrailers();

    std::uint64_t number = 0;
    std::string path;
    int status = 0;
    ExchangeEnd end = ExchangeEnd::close;
    {
        Response response(core_, connection_, session_);
        std::optional<Request> request;
        request.emplace(core_, connection_.socket(), response, session_, guards_);
        if (!connection_.beginRequest(request->getMethod(), request->getURI(), request->hasBody())) {
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
} catch (const std::bad_alloc&) {
    return shed("no memory left");
} catch (const std::exception& error) {
    return shed(error.what());
} catch (...) {
    return shed("unknown exception");
}

/// The request cannot be served. It still counts: as refused or, if its response has begun, as one that a
/// handler failed to finish.
ExchangeEnd Exchange::shed(const char* reason) noexcept {
    if (connection_.state() != ConnectionState::writing) {
        return core_.shed(connection_, reason) ? ExchangeEnd::lingeringClose : ExchangeEnd::close;
    }
    connection_.breakOff();
    if (connection_.endRequest(Clock::now(), core_.served)) {
        core_.emit("request.end", {{"peer", connection_.peer()}, {"error", reason}});
    }
    return ExchangeEnd::close;
}

ExchangeEnd Exchange::answer(Request& request, Response& response) {
    response.answers(request);
    response.setDate(Poco::Timestamp());
    response.setVersion(request.getVersion());
    response.setKeepAlive(request.isPersistent() && core_.options.keepAliveTimeout > Duration::zero());
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
    const std::optional<std::uint64_t> unread = request.unreadBody();
    if (response.getKeepAlive() && unread) {
        connection_.socket().skip(*unread);
        return ExchangeEnd::keepAlive;
    }
    return unread == 0 ? ExchangeEnd::close : ExchangeEnd::lingeringClose;
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

ExchangeEnd Exchange::refuseMalformed() noexcept try {
    const HTTPResponse::HTTPStatus status = connection_.socket().head().status();
    core_.emit("request.malformed", {{"status", static_cast<int>(status)},
                                     {"peer", connection_.peer()},
                                     {"note", "not what HTTP allows, counted nowhere"}});
    {
        Response response(core_, connection_, session_);
        response.setVersion(Poco::Net::HTTPMessage::HTTP_1_1);
        response.setStatusAndReason(status);
        response.setDate(Poco::Timestamp());
        response.setContentLength(0);
        response.setKeepAlive(false);
        response.send();
    }
    return ExchangeEnd::lingeringClose;
} catch (...) {
    return ExchangeEnd::close;  // No memory, or the client has left.
}

}  // namespace lifecycle::http
