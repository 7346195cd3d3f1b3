#include "healthcheck.h"

#include <cstdio>
#include <istream>

#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/StreamCopier.h>
#include <Poco/Timespan.h>

namespace stage {
namespace {

Poco::Net::SocketAddress reachable(const std::string& address, std::uint16_t port) {
    const Poco::Net::SocketAddress given(address, port);
    if (!given.host().isWildcard()) {
        return given;
    }
    return {given.host().family() == Poco::Net::IPAddress::IPv4 ? "127.0.0.1" : "::1", port};
}

}  // namespace

int checkHealth(const std::string& address, std::uint16_t port) {
    try {
        Poco::Net::HTTPClientSession session(reachable(address, port));
        session.setTimeout(Poco::Timespan(2, 0));
        Poco::Net::HTTPRequest request("GET", "/readyz", "HTTP/1.1");
        request.setKeepAlive(false);
        session.sendRequest(request);
        Poco::Net::HTTPResponse response;
        std::string body;
        Poco::StreamCopier::copyToString(session.receiveResponse(response), body);
        std::printf("%d %s", static_cast<int>(response.getStatus()), body.c_str());
        return response.getStatus() == Poco::Net::HTTPResponse::HTTP_OK ? 0 : 1;
    } catch (const Poco::Exception& error) {
        std::printf("%s\n", error.displayText().c_str());
        return 1;
    }
}

}  // namespace stage
