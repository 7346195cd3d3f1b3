#include "http/exchange/exchange.h"

#include <memory>
#include <new>
#include <optional>
#include <string_view>

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/NetException.h>
#include <Poco/Timestamp.h>

#include "http/exchange/request.h"
#include "http/exchange/response.h"
#include "http/exchange/service.h"

namespace lifecycle::http {

using Poco::Net::HTTPResponse;

Disposition Exchange::run() noexcept try {
    const TimePoint begin = Clock::now();
    connection_.beginParsing(begin);
    session_.clearTrailers();

    std::uint64_t number = 0;
    std::string path;
    int status = 0;
    Disposition disposition = Disposition::close;
    {
        Response response(service_, connection_, session_);
        std::optional<Request> request;
        request.emplace(service_, connection_.socket(), response, session_, guards_);
        if (!connection_.beginRequest(request->getMethod(), request->getURI(), request->hasBody())) {
            return Disposition::close;
        }
        number = service_.counters.requests.fetch_add(1) + 1;
        path = request->getURI();
        service_.emit("request.begin", {{"id", number},
                                        {"method", request->getMethod()},
                                        {"path", path},
                                        {"peer", connection_.peer()}});
        disposition = respond(*request, response);
        status = response.getStatus();
    }  // Here the response is flushed.

    const bool clientLeft = session_.networkException() != nullptr;
    if (disposition != Disposition::takenOver && connection_.socket().sendFailed()) {
        connection_.abort();  // To a client that reads again, half a response must not look whole.
    }
    const TimePoint now = Clock::now();
    if (!connection_.endRequest(now, service_.counters.served, disposition == Disposition::takenOver)) {
        // It counts as cut already. A socket that was taken over is not ours to close.
        return disposition == Disposition::takenOver ? disposition : Disposition::close;
    }
    std::string_view error = error_;  // nothing from here on allocates: the request has been counted
    if (!clientLeft && error.empty() && disposition != Disposition::takenOver && session_.lengthMismatch()) {
        error = "the answer is not as long as its Content-Length";
        connection_.abort();
        disposition = Disposition::close;
    }
    const Duration took = now - begin;
    if (!error.empty()) {
        service_.emit("request.end",
                      {{"id", number}, {"path", path}, {"status", status}, {"took", took}, {"error", error}});
    } else if (clientLeft) {
        service_.emit("request.end", {{"id", number},
                                      {"path", path},
                                      {"status", status},
                                      {"took", took},
                                      {"note", "the client left early"}});
    } else {
        service_.emit("request.end", {{"id", number}, {"path", path}, {"status", status}, {"took", took}});
    }
    return clientLeft && disposition != Disposition::takenOver ? Disposition::close : disposition;
} catch (const std::bad_alloc&) {
    return fail("no memory left");
} catch (const std::exception& error) {
    return fail(error.what());
} catch (...) {
    return fail("unknown exception");
}

/// The request cannot be served. It still counts: as shed or, if its response has begun, as one that a
/// handler failed to finish.
Disposition Exchange::fail(const char* reason) noexcept {
    if (connection_.state() != ConnectionState::writing) {
        return http::shed(service_, connection_, reason);
    }
    connection_.abort();
    if (connection_.endRequest(Clock::now(), service_.counters.served, false)) {
        service_.emit("request.end", {{"peer", connection_.peer()}, {"error", reason}});
    }
    return Disposition::close;
}

Disposition Exchange::respond(Request& request, Response& response) {
    response.respondsTo(request);
    response.setDate(Poco::Timestamp());
    response.setVersion(request.getVersion());
    response.setKeepAlive(request.isPersistent() && service_.options.keepAliveTimeout > Duration::zero());
    try {
        callHandler(request, response);
    } catch (const Poco::Exception& error) {
        error_ = error.displayText();
    } catch (const std::exception& error) {
        error_ = error.what();
    } catch (...) {
        error_ = "unknown exception";
    }

    if (session_.isTakenOver()) {
        return Disposition::takenOver;
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
        connection_.abort();
        return Disposition::close;
    }
    const std::optional<std::uint64_t> unread = request.unreadBody();
    if (response.getKeepAlive() && unread) {
        connection_.socket().skip(*unread);
        return Disposition::keepAlive;
    }
    return unread == 0 ? Disposition::close : Disposition::linger;
}

void Exchange::callHandler(Request& request, Response& response) {
    const std::unique_ptr<Poco::Net::HTTPRequestHandler> handler(
        service_.factory->createRequestHandler(request));
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

Disposition Exchange::reject() noexcept try {
    const HTTPResponse::HTTPStatus status = connection_.socket().head().status();
    service_.emit("request.malformed", {{"status", static_cast<int>(status)},
                                        {"peer", connection_.peer()},
                                        {"note", "not what HTTP allows, counted nowhere"}});
    {
        Response response(service_, connection_, session_);
        response.setVersion(Poco::Net::HTTPMessage::HTTP_1_1);
        response.setStatusAndReason(status);
        response.setDate(Poco::Timestamp());
        response.setContentLength(0);
        response.setKeepAlive(false);
        response.send();
    }
    return Disposition::linger;
} catch (...) {
    return Disposition::close;  // No memory, or the client has left.
}

Disposition shed(Service& service, Connection& connection, const char* reason) noexcept {
    if (!connection.beginShedding()) {
        return Disposition::close;  // Counted as cut.
    }
    service.shed(connection.socket().sockfd(), connection.peer(), reason);
    return Disposition::linger;
}

}  // namespace lifecycle::http
