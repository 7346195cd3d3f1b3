// The same service on Poco's own server with nothing added, not even a log: the baseline that the
// cost of our events is measured against. Only for throughput: it is ended by SIGKILL.

#include <cstdio>
#include <cstdlib>

#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>
#include <Poco/Types.h>
#include <unistd.h>

#include "hello_service.h"

int main(int argc, char** argv) {
    // --port N, as all contestants are started
    const auto port = static_cast<Poco::UInt16>(argc == 3 ? std::atoi(argv[2]) : 0);
    Poco::Net::ServerSocket socket;
    socket.bind(Poco::Net::SocketAddress("127.0.0.1", port), true, false);
    socket.listen(4096);

    Poco::Net::HTTPServerParams::Ptr parameters(new Poco::Net::HTTPServerParams);
    parameters->setMaxThreads(256);
    parameters->setMaxQueued(1024);
    Poco::ThreadPool threads(1, 256);
    Poco::Net::HTTPServer server(new stage::HelloService(std::chrono::seconds(5), lifecycle::Context::background()), threads, socket,
                                 parameters);
    server.start();
    std::fprintf(stderr, "+0.000s ready port=%d pid=%d\n", static_cast<int>(socket.address().port()), ::getpid());
    ::pause();
}
