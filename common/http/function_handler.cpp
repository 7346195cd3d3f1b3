#include "lifecycle/function_handler.h"

#include <ios>
#include <ostream>
#include <utility>

#include <Poco/Types.h>

namespace lifecycle {

FunctionHandler::FunctionHandler(Function function) : function_(std::move(function)) {}

void FunctionHandler::handleRequest(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response) {
    function_(request, response);
}

void reply(Poco::Net::HTTPServerResponse& response, Poco::Net::HTTPResponse::HTTPStatus status, std::string_view body,
           const std::string& contentType) {
    response.setStatusAndReason(status);
    response.setContentType(contentType);
    response.setContentLength64(static_cast<Poco::Int64>(body.size()));
    response.setChunkedTransferEncoding(false);
    // Not sendBuffer(), which sends only when the response is destroyed.
    response.send().write(body.data(), static_cast<std::streamsize>(body.size())).flush();
}

}  // namespace lifecycle
