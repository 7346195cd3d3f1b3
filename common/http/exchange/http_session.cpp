#include "http/exchange/http_session.h"

#include <Poco/Any.h>
#include <Poco/Buffer.h>

namespace lifecycle::http {

HttpSession::HttpSession(const Poco::Net::HTTPServerParams::Ptr& params)
    : HttpSession(noConnection(), params) {}

void HttpSession::attach(Connection& connection) {
    connection_ = &connection;
    attachSocket(connection.stream());
}

void HttpSession::detach() {
    const bool isOurs = !isTakenOver();
    attachSocket(none_);
    clearException();
    attachSessionData(Poco::Any());
    if (buffered() > 0) {
        Poco::Buffer<char> bytes(0);
        drainBuffer(bytes);
        if (isOurs) {
            connection_->socket().unreceive({bytes.begin(), bytes.size()});
        }
    }
}

void HttpSession::addTrailer([[maybe_unused]] const std::string& name, [[maybe_unused]] const std::string& value) {
#if POCO_VERSION >= 0x010c0000
    requestTrailer().add(name, value);
#endif
}

}  // namespace lifecycle::http
