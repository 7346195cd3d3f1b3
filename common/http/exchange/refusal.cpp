#include "http/exchange/refusal.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string_view>

namespace lifecycle::http {
namespace {

constexpr std::string_view busyAnswer =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Retry-After: 1\r\n"
    "Connection: close\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 5\r\n"
    "\r\n"
    "busy\n";

}  // namespace

bool dropInput(int descriptor) {
    constexpr int mostReads = 16;
    std::array<char, 16 * 1024> bytes;
    for (int reads = 0; reads < mostReads; ++reads) {
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

void sendBusy(int descriptor) {
    dropInput(descriptor);
    ::send(descriptor, busyAnswer.data(), busyAnswer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    ::shutdown(descriptor, SHUT_WR);
}

}  // namespace lifecycle::http
