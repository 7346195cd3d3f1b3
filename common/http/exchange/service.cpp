#include "http/exchange/service.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

namespace lifecycle::http {
namespace {

constexpr std::string_view busyResponse =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Retry-After: 1\r\n"
    "Connection: close\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 5\r\n"
    "\r\n"
    "busy\n";

/// Empty for less than a second: the field is in whole seconds.
std::string keepAliveHintFor(Duration timeout) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout).count();
    return seconds > 0 && seconds <= std::numeric_limits<std::int32_t>::max() ? "timeout=" + std::to_string(seconds)
                                                                             : "";
}

}  // namespace

Service::Service(Poco::Net::HTTPRequestHandlerFactory::Ptr handlerFactory, HttpServerOptions serverOptions)
    : options(std::move(serverOptions)),
      factory(std::move(handlerFactory)),
      params(new Poco::Net::HTTPServerParams),
      keepAliveHint(keepAliveHintFor(options.keepAliveTimeout)),
      cutting(withCancel(Context::background())) {}

void Service::shed(int descriptor, std::string_view peer, const char* reason) noexcept {
    ++counters.requests;
    ++counters.shed;
    emit("request.refused", {{"status", 503}, {"peer", peer}, {"note", reason}});
    dropInput(descriptor);
    // Never waits: it fits into any socket buffer.
    ::send(descriptor, busyResponse.data(), busyResponse.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    ::shutdown(descriptor, SHUT_WR);
}

bool dropInput(int descriptor) {
    constexpr int maxReads = 16;
    std::array<char, 16 * 1024> bytes;
    for (int reads = 0; reads < maxReads; ++reads) {
        const ssize_t received = ::recv(descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (received == 0 || (received < 0 && errno != EAGAIN && errno != EINTR)) {
            return false;
        }
        if (received < 0 && errno == EAGAIN) {
            return true;
        }
    }
    return true;
}

}  // namespace lifecycle::http
