#include "orders/order_service.h"

#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include <Poco/JSON/Object.h>
#include <Poco/Types.h>

#include "lifecycle/function_handler.h"
#include "lifecycle/http_server.h"

namespace stage {
namespace {

using lifecycle::FunctionHandler;
using lifecycle::reply;
using Poco::Net::HTTPResponse;
using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

constexpr std::streamsize largestBody = 64 * 1024;

template <typename Value>
void replyJson(HTTPServerResponse& response, HTTPResponse::HTTPStatus status, const char* name,
               const Value& value) {
    Poco::JSON::Object object;
    object.set(name, value);
    std::ostringstream text;
    object.stringify(text);
    text << '\n';
    reply(response, status, text.str(), "application/json");
}

bool hasLength(const HTTPServerRequest& request) {
    return !request.getChunkedTransferEncoding() && request.hasContentLength();
}

/// The body, or nothing if it is too long. Throws OrderError if it is not all there.
std::optional<std::string> readBody(HTTPServerRequest& request) {
    if (!hasLength(request) && !request.getChunkedTransferEncoding()) {
        return "";  // Without either there is no body, though Poco would wait for one. (RFC 9112, 6.3)
    }
    if (hasLength(request) && request.getContentLength64() > largestBody) {
        return std::nullopt;
    }
    std::string body(largestBody + 1, '\0');
    request.stream().read(body.data(), largestBody + 1);
    body.resize(static_cast<std::size_t>(request.stream().gcount()));
    if (body.size() > static_cast<std::size_t>(largestBody)) {
        return std::nullopt;
    }
    if (lifecycle::endedEarly(request)) {
        throw OrderError("the body ends early");  // The client left: it did not mean this.
    }
    return body;
}

const char* reason(OrderStore::Refusal refusal) {
    switch (refusal) {
        case OrderStore::Refusal::full:
            return "too many orders are waiting";
        case OrderStore::Refusal::closed:
            return "shutting down";
        case OrderStore::Refusal::failing:
            return "the database cannot take orders now";
        case OrderStore::Refusal::none:
            break;
    }
    return "";
}

void takeOrder(OrderStore& store, HTTPServerRequest& request, HTTPServerResponse& response) {
    std::optional<Order> order;
    try {
        const std::optional<std::string> body = readBody(request);
        if (!body) {
            replyJson(response, HTTPResponse::HTTP_REQUEST_ENTITY_TOO_LARGE, "error",
                      std::string("the body may have 64 KiB"));
            return;
        }
        order = parseOrder(*body);
    } catch (const OrderError& error) {
        replyJson(response, HTTPResponse::HTTP_BAD_REQUEST, "error", std::string(error.what()));
        return;
    }
    const OrderStore::Receipt receipt = store.tryPut(std::move(*order));
    if (receipt.refusal != OrderStore::Refusal::none) {
        response.set("Retry-After", "1");
        replyJson(response, HTTPResponse::HTTP_SERVICE_UNAVAILABLE, "error",
                  std::string(reason(receipt.refusal)));
        return;
    }
    replyJson(response, HTTPResponse::HTTP_ACCEPTED, "id", static_cast<Poco::Int64>(receipt.id));
    store.answered();
}

}  // namespace

OrderService::OrderService(OrderStore& store, Ptr otherwise)
    : store_(store), otherwise_(std::move(otherwise)) {}

Poco::Net::HTTPRequestHandler* OrderService::createRequestHandler(const HTTPServerRequest& request) {
    const std::string& uri = request.getURI();
    if (uri.substr(0, uri.find_first_of("?#")) != "/orders") {
        return otherwise_->createRequestHandler(request);
    }
    if (request.getMethod() != HTTPServerRequest::HTTP_POST) {
        return new FunctionHandler([](HTTPServerRequest&, HTTPServerResponse& response) {
            response.set("Allow", "POST");
            replyJson(response, HTTPResponse::HTTP_METHOD_NOT_ALLOWED, "error", std::string("use POST"));
        });
    }
    return new FunctionHandler([this](HTTPServerRequest& handled, HTTPServerResponse& response) {
        takeOrder(store_, handled, response);
    });
}

}  // namespace stage
