#pragma once

#include "served.h"

#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>

#include <utility>

namespace lifecycle::test {

/// Poco's own server, for comparison.
class PlainServer {
public:
    explicit PlainServer(Handle handle, int threads = 16)
        : threads_(1, threads), server_(new FunctionFactory(std::move(handle)), threads_, socket_, params(threads)) {
        server_.start();
    }
    ~PlainServer() {
        server_.stopAll();
        threads_.joinAll();
    }

    int port() const { return server_.port(); }
    int busyThreads() const { return server_.currentThreads(); }

private:
    static Poco::Net::HTTPServerParams::Ptr params(int threads) {
        Poco::Net::HTTPServerParams::Ptr params(new Poco::Net::HTTPServerParams);
        params->setMaxThreads(threads);
        return params;
    }

    Poco::Net::ServerSocket socket_{Poco::Net::SocketAddress("127.0.0.1", 0)};
    Poco::ThreadPool threads_;
    Poco::Net::HTTPServer server_;
};

} // namespace lifecycle::test
