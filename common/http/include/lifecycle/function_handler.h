#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

namespace lifecycle {

/// A request handler from a function, for services whose handlers are a few lines each. Works with every Poco HTTP
/// server, which calls it once, on one of its threads, and deletes it. An exception from the function goes to the server.
///
///     Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest&) override {
///         return new FunctionHandler([](auto&, auto& response) { reply(response, HTTPResponse::HTTP_OK, "hello\n"); });
///     }
class FunctionHandler : public Poco::Net::HTTPRequestHandler {
public:
    using Function = std::function<void(Poco::Net::HTTPServerRequest&, Poco::Net::HTTPServerResponse&)>;

    explicit FunctionHandler(Function function);

    void handleRequest(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response) override;

private:
    const Function function_;
};

/// Sends a whole response. Blocks while the client does not read; a client that has left is not an error here. With
/// HttpServer the kernel has the response when this returns; Poco's own server sends it after the handler.
void reply(Poco::Net::HTTPServerResponse& response, Poco::Net::HTTPResponse::HTTPStatus status, std::string_view body,
           const std::string& contentType = "text/plain");

}  // namespace lifecycle
