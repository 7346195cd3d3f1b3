#include "ready_event.h"

#include <unistd.h>

#include <string>

namespace stage {

void logReady(lifecycle::EventLog& events, std::string_view word, unsigned generation,
               const std::vector<lifecycle::ListeningSocket>& sockets) {
    std::string addresses;
    int port = 0;
    for (const lifecycle::ListeningSocket& socket : sockets) {
        const Poco::Net::SocketAddress& address = socket.address();
        addresses += (addresses.empty() ? "" : ",") + address.toString();
        if (port == 0 && address.family() != Poco::Net::SocketAddress::UNIX_LOCAL) {
            port = address.port();
        }
    }
    events.emit(word, {{"port", port}, {"pid", ::getpid()}, {"generation", generation}, {"listening", addresses}});
}

}  // namespace stage
