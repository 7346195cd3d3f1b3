#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

namespace stage {

/// A request handler from a function, for services whose handlers are a few lines each.
class FunctionHandler : public Poco::Net::HTTPRequestHandler {
public:
    using Function =
        std::function<void(Poco::Net::HTTPServerRequest&, Poco::Net::HTTPServerResponse&)>;
    explicit FunctionHandler(Function function) : function_(std::move(function)) {}

    void handleRequest(Poco::Net::HTTPServerRequest& request,
                       Poco::Net::HTTPServerResponse& response) override {
        function_(request, response);
    }

private:
    const Function function_;
};

/// Sends a whole answer. Blocks until the client's socket has taken it.
inline void reply(Poco::Net::HTTPServerResponse& response,
                  Poco::Net::HTTPResponse::HTTPStatus status, std::string_view body,
                  const char* contentType = "text/plain") {
    response.setStatusAndReason(status);
    response.setContentType(contentType);
    response.sendBuffer(body.data(), body.size());
}

}  // namespace stage
