#include "http/http_session.h"

#include <exception>

#include <Poco/Buffer.h>

namespace lifecycle::http {

Arrival HttpSession::awaitRequest(ConnectionSocket::Patience patience) try {
    if (buffered() > 0) {  // Read together with the last request.
        Poco::Buffer<char> bytes(0);
        drainBuffer(bytes);
        socket_.unreceive({bytes.begin(), bytes.size()});
    }
    using Head = ConnectionSocket::Head;
    const Head head = socket_.receiveHead(patience);
    return head == Head::whole     ? Arrival::request
           : head == Head::tooLong ? Arrival::tooLong
           : head == Head::end     ? Arrival::end
                                   : Arrival::quiet;
} catch (const std::exception&) {
    return Arrival::end;  // No memory.
}

int HttpSession::write(const char* buffer, std::streamsize length) {
    const int sent = HTTPServerSession::write(buffer, length);
    sent_ += sent > 0 ? static_cast<std::uint64_t>(sent) : 0;
    return sent;
}

}  // namespace lifecycle::http
