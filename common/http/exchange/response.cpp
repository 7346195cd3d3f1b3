#include "http/exchange/response.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <ios>

#include <Poco/CountingStream.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/Exception.h>
#include <Poco/File.h>
#include <Poco/FileStream.h>
#include <Poco/Net/HTTPHeaderStream.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Types.h>

#include "http/exchange/request.h"
#include "http/exchange/service.h"

namespace lifecycle::http {

std::ostream& Response::send() {
    beforeHeader();
    if (hasBody() && !getChunkedTransferEncoding() && hasContentLength()) {
        announceLength();
    }
    return HTTPServerResponseImpl::send();
}

/// Poco's own implementation bypasses this class or the connection's socket, depending on its version.
void Response::sendFile(const std::string& path, const std::string& mediaType) {
    const Poco::File file(path);
    set("Last-Modified", Poco::DateTimeFormatter::format(file.getLastModified(), Poco::DateTimeFormat::HTTP_FORMAT));
    setContentLength64(static_cast<Poco::Int64>(file.getSize()));
    setContentType(mediaType);
    setChunkedTransferEncoding(false);
    Poco::FileInputStream content(path);
    std::ostream& body = send();
    if (hasBody()) {
        // Not more than announced: it may have grown. If it has shrunk, the connection is aborted.
        std::array<char, 16 * 1024> bytes;
        for (auto left = getContentLength64(); left > 0 && body && content;) {
            content.read(bytes.data(), std::min<std::streamsize>(left, bytes.size()));
            body.write(bytes.data(), content.gcount());
            left -= content.gcount();
        }
    }
}

/// Unlike Poco's own, which sends when the response is destroyed: a handler that goes on knows that it is sent.
void Response::sendBuffer(const void* buffer, std::size_t length) {
    setContentLength64(static_cast<Poco::Int64>(length));
    setChunkedTransferEncoding(false);
    beforeHeader();
    sentBuffer_ = true;
    Poco::Net::HTTPHeaderOutputStream stream(session_);
    write(stream);
    if (hasBody()) {
        stream.write(static_cast<const char*>(buffer), static_cast<std::streamsize>(length));
    }
    stream.flush();
}

void Response::redirect(const std::string& uri, HTTPStatus status) {
    setContentLength(0);
    setChunkedTransferEncoding(false);
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

void Response::beforeHeader() {
    if (sent()) {
        throw Poco::IllegalStateException("the response has been sent already");
    }
    if (getVersion() == HTTP_1_0 && getChunkedTransferEncoding()) {
        setChunkedTransferEncoding(false);  // Such a client does not know chunks.
    }
    const bool leaving = service_.phase.isLeaving();
    if (request_ != nullptr && request_->hasMalformedBody() && getStatus() < HTTP_BAD_REQUEST) {
        setStatusAndReason(HTTP_BAD_REQUEST);  // The handler took the body for complete.
    }
    if (getStatus() != HTTP_SWITCHING_PROTOCOLS) {
        if (isLast(leaving)) {
            set(CONNECTION, "close");
        } else if (!service_.keepAliveHint.empty()) {
            set("Keep-Alive", service_.keepAliveHint);
        }
    }
    service_.counters.answeredWithClose += leaving ? 1 : 0;
    connection_.beginResponse(endsWithConnection());
    session_.beginResponse();
}

bool Response::isLast(bool leaving) const {
    const bool bodyIsInTheWay = request_ != nullptr && !request_->unreadBody();
    return !getKeepAlive() || leaving || connection_.isExpired() || endsWithConnection() || bodyIsInTheWay;
}

/// Its body has no length, and is not in chunks.
bool Response::endsWithConnection() const {
    return hasBody() && !getChunkedTransferEncoding() && !hasContentLength();
}

}  // namespace lifecycle::http
