#pragma once

#include "lifecycle/event_log.h"
#include "lifecycle/http_server.h"

/// For comparison: the server that Poco ships, ended in the way people write first.
struct PlainServerOptions {
    Poco::Net::SocketAddress address;
    unsigned threads;
    unsigned queue;
    bool stopAll;  ///< true: HTTPServer::stopAll(false); false: HTTPServer::stop(), as in Poco's samples
};

/// Serves until `stop` is done, then ends the server. Blocks; returns the exit code. Throws if it
/// cannot listen.
int servePlainly(Poco::Net::HTTPRequestHandlerFactory::Ptr service, const PlainServerOptions& options,
                 const lifecycle::Context& stop, lifecycle::EventLog& events);
