#include "lifecycle/function_handler.h"

#include <utility>

namespace lifecycle {

FunctionHandler::FunctionHandler(Function function) : function_(std::move(function)) {}

void FunctionHandler::handleRequest(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response) {
    function_(request, response);
}

void reply(Poco::Net::HTTPServerResponse& response, Poco::Net::HTTPResponse::HTTPStatus status, std::string_view body,
           const std::string& contentType) {
    response.setStatusAndReason(status);
    response.setContentType(contentType);
    response.sendBuffer(body.data(), body.size());
}

}  // namespace lifecycle
