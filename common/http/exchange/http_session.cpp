#include "http/exchange/http_session.h"

#include <exception>
#include <new>

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
    return head == Head::whole       ? Arrival::request
           : head == Head::malformed ? Arrival::malformed
           : head == Head::end       ? Arrival::end
                                     : Arrival::quiet;
} catch (const std::bad_alloc&) {
    return Arrival::noMemory;
} catch (const std::exception&) {
    return Arrival::end;
}

}  // namespace lifecycle::http
