#include "port_reservation.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <random>
#include <stdexcept>

namespace lifecycle::test {

namespace {

/// A socket of this type bound to 127.0.0.1:port, or none if it is taken.
FileDescriptor boundSocket(int type, int port) {
    FileDescriptor socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return {};
    }
    return socket;
}

} // namespace

PortReservation::PortReservation() {
    std::random_device random;
    std::uniform_int_distribution<int> candidates(20000, 32000);
    for (int attempt = 0; attempt < 1000; ++attempt) {
        const int port = candidates(random);
        if (auto mark = boundSocket(SOCK_DGRAM, port); mark && boundSocket(SOCK_STREAM, port)) {
            mark_ = std::move(mark);
            port_ = port;
            return;
        }
    }
    throw std::runtime_error("no free port between 20000 and 32000");
}

} // namespace lifecycle::test
