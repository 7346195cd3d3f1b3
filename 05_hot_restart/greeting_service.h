#pragma once

#include <atomic>
#include <string>

#include <Poco/Net/HTTPRequestHandlerFactory.h>

#include "hello_service.h"

namespace stage {

/// The service of this stage: that of the stages before, and
///
///     GET /                       works, then says the message and who answers
///     POST /echo                  gives the body back
///     GET /stream?chunks=&every=  sends so many chunks, one after the other
///
/// Called on the server's threads, many at once.
class GreetingService : public Poco::Net::HTTPRequestHandlerFactory {
public:
    /// `ready` is what /readyz tells, and must outlive the service.
    GreetingService(const std::string& message, unsigned generation, lifecycle::Duration work,
                    const std::atomic<bool>& ready);

    Poco::Net::HTTPRequestHandler* createRequestHandler(
        const Poco::Net::HTTPServerRequest& request) override;

private:
    const std::string greeting_;
    const lifecycle::Duration work_;
    HelloService hello_;
};

}  // namespace stage
