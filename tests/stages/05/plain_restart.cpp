// A hot restart as people write it first, for the comparison in the tests: SIGHUP starts the program
// again with the same listening socket, and as soon as that serves the old one ends by Poco's
// stopAll and joinAll. New connections are safe with that; those that are open are not.

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <Poco/StreamCopier.h>
#include <Poco/ThreadPool.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "lifecycle/event_log.h"
#include "lifecycle/signals.h"
#include "lifecycle/spawn.h"

namespace {

using namespace Poco::Net;

/// Poco makes a socket from a descriptor from 1.13 on only.
class InheritedImpl : public ServerSocketImpl {
public:
    explicit InheritedImpl(int descriptor) { reset(descriptor); }
};
class InheritedSocket : public ServerSocket {
public:
    explicit InheritedSocket(int descriptor) : ServerSocket(new InheritedImpl(descriptor), true) {}
};

class Echo : public HTTPRequestHandler {
    void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
        std::string body;
        Poco::StreamCopier::copyToString(request.stream(), body);
        response.sendBuffer(body.data(), body.size());
    }
};
class EchoFactory : public HTTPRequestHandlerFactory {
    HTTPRequestHandler* createRequestHandler(const HTTPServerRequest&) override { return new Echo; }
};

ServerSocket listen(const char* inherited) {
    if (inherited != nullptr) {
        return InheritedSocket(std::atoi(inherited));
    }
    ServerSocket socket;
    socket.bind(SocketAddress("127.0.0.1", 0), true, false);
    socket.listen(4096);
    ::fcntl(socket.impl()->sockfd(), F_SETFD, FD_CLOEXEC);
    socket.setBlocking(false); // with two processes at one listener, a blocking accept may hang
    return socket;
}

} // namespace

int main(int, char** argv) {
    constexpr std::array signals{SIGHUP, SIGTERM};
    lifecycle::blockSignals(signals);
    lifecycle::EventLog events;
    ServerSocket socket = listen(std::getenv("PLAIN_SOCKET"));
    Poco::ThreadPool threads(2, 256);
    HTTPServerParams::Ptr parameters(new HTTPServerParams);
    parameters->setMaxThreads(256);
    parameters->setKeepAlive(true);
    parameters->setMaxKeepAliveRequests(0);
    HTTPServer server(new EchoFactory, threads, socket, parameters);
    server.start();
    events.emit("ready", {{"port", socket.address().port()}, {"pid", ::getpid()}});
    if (const char* whenReady = std::getenv("PLAIN_READY")) {
        ::close(std::atoi(whenReady));
    }

    if (lifecycle::waitForSignal(signals).number == SIGHUP) {
        std::array<int, 2> pipe{};
        if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
            return 1;
        }
        lifecycle::spawn({argv[0]}, {.environment = {"PLAIN_SOCKET=3", "PLAIN_READY=4"},
                                     .descriptors = {socket.impl()->sockfd(), pipe[1]},
                                     .blockedSignals = {signals.begin(), signals.end()}});
        ::close(pipe[1]);
        char byte;
        [[maybe_unused]] const auto ended = ::read(pipe[0], &byte, 1); // the end of file: it serves
    }
    server.stopAll(false);
    threads.joinAll();
    return 0;
}
