#pragma once

#include <string>

#include <Poco/Net/HTTPRequestHandlerFactory.h>

#include "hello_service.h"

namespace stage {

/// The service of this stage: that of the previous stages, and
///
///     GET /                       works, then responds with the message, the pid and the generation
///     POST /echo                  responds with the request's body
///     GET /stream?chunks=&every=  sends that many chunks, one after the other
///
/// Called on the server's threads, concurrently.
class GreetingService : public Poco::Net::HTTPRequestHandlerFactory {
public:
    /// /readyz responds 503 once `notReady` is done.
    GreetingService(const std::string& message, unsigned generation, lifecycle::Duration work,
                    lifecycle::Context notReady);

    Poco::Net::HTTPRequestHandler* createRequestHandler(
        const Poco::Net::HTTPServerRequest& request) override;

private:
    const std::string greeting_;
    const lifecycle::Duration work_;
    HelloService hello_;
};

}  // namespace stage
