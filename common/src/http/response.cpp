#include "http/response.h"

#include <cstdint>

#include <Poco/CountingStream.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Version.h>

#include "http/request.h"
#include "http/server_core.h"

namespace lifecycle::http {

std::ostream& Response::send() {
    const bool inChunks = getChunkedTransferEncoding();
    beforeHeader(hasBody() && !inChunks && !hasContentLength());
    if (hasBody() && !inChunks && hasContentLength()) {
        announceLength();
    }
    return HTTPServerResponseImpl::send();
}

void Response::sendFile(const std::string& path, const std::string& mediaType) {
    beforeHeader();
    HTTPServerResponseImpl::sendFile(path, mediaType);
#if POCO_VERSION < 0x010e0000  // From 1.14 on the kernel sends it, past the session that counts.
    announceLength();  // as the file was when Poco had a look; it may have grown or shrunk since
#endif
}

void Response::sendBuffer(const void* buffer, std::size_t length) {
    beforeHeader();
    HTTPServerResponseImpl::sendBuffer(buffer, length);
}

void Response::redirect(const std::string& uri, HTTPStatus status) {
    beforeHeader();
    HTTPServerResponseImpl::redirect(uri, status);
}

bool Response::hasBody() const {
    const bool asked = request_ == nullptr || request_->getMethod() != Poco::Net::HTTPRequest::HTTP_HEAD;
    return asked && getStatus() >= HTTP_OK && getStatus() != HTTP_NO_CONTENT &&
           getStatus() != HTTP_NOT_MODIFIED;
}

void Response::announceLength() const {
    Poco::CountingOutputStream header;
    write(header);
    session_.announce(static_cast<std::uint64_t>(header.chars() + (hasBody() ? getContentLength64() : 0)));
}

void Response::beforeHeader(bool endsWithConnection) {
    const bool closing = core_.closing.load();
    if (request_ != nullptr && getKeepAlive() && !request_->leavesTheWayFree()) {
        setKeepAlive(false);  // The rest of the body is in the way of a next request.
    }
    if ((closing || !getKeepAlive()) && getStatus() != HTTP_SWITCHING_PROTOCOLS) {
        set(CONNECTION, "close");
    }
    core_.answeredWithClose += closing ? 1 : 0;
    connection_.beginAnswer(endsWithConnection);
    session_.beginAnswer();
}

}  // namespace lifecycle::http
